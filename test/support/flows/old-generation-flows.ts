/** Flows of data that another generation has taken the place of, and the calls each makes. */
import { expect } from 'vitest';
import {
  doomedIn,
  flip,
  fullTenant,
  keysOfGeneration,
  listedGenerations,
  objectsOf,
  takeOver,
} from '../old-generation.ts';
import type { Flow } from './flow.ts';

export const oldGenerationFlows: readonly Flow[] = [
  {
    name: 'reclaim an old generation',
    calls: ['ZRANGE', 'HMGET', 'ZRANGE', 'ZRANGE', 'reclaim-generation'],
    async prepare(app, direct) {
      // What other cases left to be deleted is no part of this one.
      await direct.cleanUp.run();
      const { tenantId: id } = await fullTenant(direct);
      const [taken, ...others] = (await objectsOf(direct, id)) as [string, ...string[]];
      await takeOver(direct, id, 2, [taken]);
      await flip(direct, id, 1, 2);
      return {
        run: async (signal) => expect((await app.cleanUp.run(signal)).finished).toBe(true),
        async verify() {
          expect(await keysOfGeneration(direct, id, 1)).toEqual([]);
          expect(await listedGenerations(direct, id)).toEqual([]);
          // Once nothing of it is left, the next run deletes what is due.
          const left = await objectsOf(direct, id);
          expect(left).toContain(taken);
          const doomed = [...(await doomedIn(direct, id, 2)).keys()];
          expect(doomed.toSorted()).toEqual(left.filter((name) => name !== taken));
          expect(others).toEqual(expect.arrayContaining(doomed));
        },
      };
    },
  },
];
