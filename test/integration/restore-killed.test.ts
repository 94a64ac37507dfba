/** A restore whose process ends before or after any of its calls: whoever goes on ends it, as if nothing had happened. */
import { beforeAll, describe, expect, it } from 'vitest';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { TRANSPORTS } from '../support/app.ts';
import { prepareRestore } from '../support/flows/restore-flows.ts';
import { endLease } from '../support/job-service.ts';
import { KilledError } from '../support/random-faults.ts';
import { livingRecords, restore } from '../support/restoring.ts';
import { checkpoint, stateApp } from '../support/state-app.ts';

beforeAll(() => telemetry.logger.setLogLevel('SILENT'));

/** Of all moments; each is met once in so many runs. */
const EVERY = { tcp: 5, rest: 12 };

describe.each(TRANSPORTS)('a restore that is killed, over %s [K3 T1]', (transport) => {
  it('is ended by another process, wherever it was', { timeout: 300_000 }, async () => {
    const { app, again } = await stateApp({ transport });
    let left = Number.POSITIVE_INFINITY;
    const made: string[] = [];
    const victim = await again({
      failpoint: ({ port, name, phase }) => {
        if (port === 'keys') return;
        if (phase === 'before') made.push(name);
        if (left-- <= 0) throw new KilledError('killed');
      },
    });
    const whole = await prepareRestore(app);
    await whole.start(victim);
    await whole.verify();
    // Before and after each of its calls.
    const points = 2 * made.length;
    expect(points).toBeGreaterThan(60);
    const every = Number(process.env.RIPTIDE_EVERY ?? EVERY[transport]);
    for (let point = Date.now() % every; point < points; point += every) {
      const one = await prepareRestore(app);
      left = point;
      made.length = 0;
      await one.start(victim).catch(() => null);
      left = Number.POSITIVE_INFINITY;
      const last = `${made.at(-1)}, call ${made.length}, point ${point}`;
      try {
        // It may not have been begun.
        await app.jobs.get(`job-${one.opId}`).catch(() => one.start(app));
        const result = await one.verify();
        // What was there is in the checkpoint that undoes it.
        if (point % 7 === 0) {
          await restore(app, result.undo_checkpoint_id as string);
          expect(await livingRecords(app, one.id)).toEqual(one.now);
        }
      } catch (error) {
        throw new Error(`Killed at ${last}`, { cause: error });
      }
    }
  });

  it('is cancelled: the tenant is as it was or as it then was, and what was loaded in vain goes', {
    timeout: 120_000,
  }, async () => {
    const { app, again } = await stateApp({ transport });
    for (const name of ['begin-generation', 'load-records', 'flip-generation']) {
      for (const moment of ['before', 'after'] as const) {
        let armed = false;
        let isOver = false;
        const victim = await again({
          failpoint: (call) => {
            if (!armed) return;
            isOver ||= call.name === name && call.phase === moment;
            if (isOver) throw new KilledError('killed');
          },
        });
        const one = await prepareRestore(app);
        armed = true;
        await one.start(victim).catch(() => null);
        expect(isOver).toBe(true);
        const id = `job-${one.opId}`;
        await app.jobs.cancel(id, {});
        await endLease(app, id);
        await app.jobs.run();
        expect(await app.jobs.get(id)).toMatchObject({ status: 'cancelled' });
        const isNew = name === 'flip-generation' && moment === 'after';
        expect(await livingRecords(app, one.id)).toEqual(isNew ? one.then : one.now);
        await checkpoint(app);
        expect(await livingRecords(app, one.id)).toEqual(isNew ? one.then : one.now);
        if (!isNew) await one.expectTidy();
      }
    }
  });
});
