/** Data that another generation has taken the place of goes, with its objects, and nothing that somebody still has. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { RETIRED_FOR_MS } from '../../lib/cleaning/old-generations.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { newUlid, type TenantId } from '../../lib/ids.ts';
import { entryListing } from '../../lib/keys.ts';
import { registerObject } from '../../lib/redis/bindings/object-scripts.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';
import { runScript } from '../../lib/redis/script.ts';
import { TRANSPORTS, testApp } from '../support/app.ts';
import { gateState } from '../support/gate-state.ts';
import {
  doomedIn,
  flip,
  fullTenant,
  keysOfGeneration,
  listedGenerations,
  membersOf,
  objectsOf,
  oldGenerationsOn,
  RECORDS,
  takeOver,
} from '../support/old-generation.ts';
import { redisTimeMs } from '../support/redis-time.ts';
import { keysOf } from '../support/tenant-state.ts';

const WRITE = { kind: 'write' } as const;
const text = { content_type: 'text/plain' };
const value = { value: Buffer.from('v'), meta: text, ttlMs: null };
const named = (key: string) => ({ namespace: 'ns', key });
const NOTHING = { records: 0, objects: 0, gone: false };

describe.each(TRANSPORTS)('an old generation of data, over %s [K3 P6]', (transport) => {
  let app: App;
  let caller: Caller;
  let id: TenantId;
  let old: ReturnType<typeof oldGenerationsOn>;
  beforeAll(async () => {
    app = await testApp({ transport, env: { PERSISTENCE_CACHE_KEY_PREFIX: `og-${newUlid(Date.now())}` } });
    old = oldGenerationsOn(app);
  });
  beforeEach(async () => {
    caller = await fullTenant(app);
    id = caller.tenantId;
  });

  it('goes with all its records; its objects wait to be deleted as of when it was retired', async () => {
    const objects = await objectsOf(app, id);
    expect(objects).toHaveLength(5);
    const atMs = await flip(app, id, 1, 2);
    await app.cache.set(caller, named('small'), value);
    const kept = await keysOfGeneration(app, id, 0);
    // One object was to be deleted before.
    const waited = [...(await doomedIn(app, id, 1)).values()];
    expect(waited).toHaveLength(1);
    const done = await old.reclaim({ id, generation: 2 }, { generation: 1 });
    expect(done).toEqual({ records: RECORDS, objects: 5, gone: true });
    expect(await keysOfGeneration(app, id, 1)).toEqual([]);
    expect(await listedGenerations(app, id)).toEqual([]);
    const doomed = await doomedIn(app, id, 2);
    expect([...doomed.keys()].toSorted()).toEqual(objects);
    const times = [...doomed.values()].toSorted();
    expect(times).toEqual([atMs, atMs, atMs, atMs, Math.max(atMs, ...waited)]);
    // What is of no generation, and what is of this one, stays.
    expect(await keysOfGeneration(app, id, 0)).toEqual(kept);
    expect(await app.cache.get(caller, named('small'))).toMatchObject({ value: value.value });
    expect(await old.reclaim({ id, generation: 2 }, { generation: 1 })).toEqual(NOTHING);
  });

  it('leaves the objects that the one in its place took over, also those it was to have deleted', async () => {
    const objects = await objectsOf(app, id);
    const doomedBefore = [...(await doomedIn(app, id, 1)).keys()];
    const taken = [objects[0], objects[4], ...doomedBefore].filter(
      (name, i, all) => all.indexOf(name) === i,
    ) as string[];
    await takeOver(app, id, 2, taken);
    await flip(app, id, 1, 2);
    const done = await old.reclaim({ id, generation: 2 }, { generation: 1 });
    expect(done).toMatchObject({ objects: 5 - taken.length, gone: true });
    const doomed = [...(await doomedIn(app, id, 2)).keys()];
    expect([...doomed, ...taken].toSorted()).toEqual(objects);
    expect(await membersOf(app, id, 2, 'o')).toEqual([]);
  });

  it('keeps to be told of what was taken over while another old one is left; the one retired first goes first', async () => {
    const objects = await objectsOf(app, id);
    const first = await flip(app, id, 1, 2, RETIRED_FOR_MS + 60_000);
    const second = await flip(app, id, 2, 3, RETIRED_FOR_MS + 30_000);
    await takeOver(app, id, 3, objects.slice(0, 2));
    const place = { id, generation: 3 };
    expect(await old.reclaim(place, { generation: 2 })).toEqual(NOTHING);
    expect(await old.reclaim(place, { generation: 1 })).toEqual({ records: RECORDS, objects: 3, gone: true });
    // A checkpoint of between may name what the second had of the first.
    expect(first).toBeLessThan(second);
    expect(Math.min(...(await doomedIn(app, id, 3)).values())).toBe(second);
    expect(await membersOf(app, id, 3, 'o')).toHaveLength(2);
    expect(await old.reclaim(place, { generation: 2 })).toEqual({ records: 0, objects: 0, gone: true });
    expect(await membersOf(app, id, 3, 'o')).toEqual([]);
    expect(await listedGenerations(app, id)).toEqual([]);
  });

  it('goes page by page', async () => {
    for (let i = 0; i < 450; i++) await app.cache.set(caller, named(`k${i}`), value);
    await flip(app, id, 1, 2);
    const page = () => old.reclaim({ id, generation: 2 }, { generation: 1, maxPages: 1 });
    expect(await page()).toMatchObject({ records: 200, gone: false });
    expect(await page()).toMatchObject({ records: 200, gone: false });
    expect(await page()).toMatchObject({ records: 450 + RECORDS - 400, gone: true });
    expect(await keysOfGeneration(app, id, 1)).toEqual([]);
  });

  it('goes also with more objects to be deleted, and more taken over, than one step moves', async () => {
    const keys = keysOf(app);
    const many = (count: number, member: (i: number) => string) =>
      Array.from({ length: count }, (_, i) => [0, member(i)]).flat();
    const name = (i: number) => `${String(i).padStart(26, '0')}`;
    const far = (await redisTimeMs(app)) + 900_000;
    const doomed = many(2_300, (i) => `d\0${String(far + i).padStart(14, '0')}\0${name(i)}`);
    await app.redis.send(['ZADD', keys.index(id, 1), ...doomed], WRITE);
    await app.redis.send(['ZADD', keys.index(id, 2), ...many(1_200, (i) => `o\0${name(i + 2_000)}`)], WRITE);
    await flip(app, id, 1, 2);
    const { objects, gone } = await old.reclaim({ id, generation: 2 }, { generation: 1 });
    expect({ objects, gone }).toEqual({ objects: 2_000 + 5, gone: true });
    // Whoever was writing one may still be at it: its own time counts.
    const times = [...(await doomedIn(app, id, 2)).values()].filter((ms) => ms >= far);
    expect(times.toSorted((one, other) => one - other)).toEqual(Array.from({ length: 2_000 }, (_, i) => far + i));
    expect(await membersOf(app, id, 2, 'o')).toEqual([]);
  });

  it('goes with records nobody can read, and with members of none', async () => {
    const keys = keysOf(app);
    const index = keys.index(id, 1);
    const damaged = keys.cacheEntry(id, 1, named('damaged'));
    await app.redis.sendAll(
      [
        ['SET', damaged, 'x'],
        ['ZADD', index, 0, entryListing(named('damaged')), 0, entryListing(named('none'))],
        ['ZADD', index, 0, `k\0s\0\0${'0'.repeat(26)}`, 0, `k\0s\0eve\0${'1'.repeat(26)}`],
        ['SET', keys.session(id, 1, '1'.repeat(26)), 'no stub'],
      ],
      WRITE,
    );
    await flip(app, id, 1, 2);
    expect(await old.reclaim({ id, generation: 2 }, { generation: 1 })).toMatchObject({ objects: 5, gone: true });
    expect(await keysOfGeneration(app, id, 1)).toEqual([]);
  });

  it('is left while it is being loaded, is the current one, is listed nowhere, or when another is current by now', async () => {
    const generations = keysOf(app).generations(id);
    const before = await keysOfGeneration(app, id, 1);
    const reclaim = (current: number, generation: number, abandoned = false) =>
      old.reclaim({ id, generation: current }, { generation, abandoned });
    // Listed by mistake.
    await app.redis.send(['ZADD', generations, 5, 1, 5, 0, 0, 9], WRITE);
    expect(await reclaim(1, 1, true)).toEqual(NOTHING);
    expect(await reclaim(1, 0, true)).toEqual(NOTHING);
    expect(await reclaim(1, 9)).toEqual(NOTHING);
    expect(await reclaim(1, 7, true)).toEqual(NOTHING);
    await app.redis.send(['DEL', generations], WRITE);
    await flip(app, id, 1, 2);
    expect(await reclaim(3, 1)).toEqual(NOTHING);
    expect(await reclaim(1, 1)).toEqual(NOTHING);
    expect(await keysOfGeneration(app, id, 1)).toEqual(before);
    await app.redis.send(['DEL', keysOf(app).gate(id)], WRITE);
    expect(await reclaim(2, 1)).toEqual(NOTHING);
  });

  it('goes when its loading was given up: what it made itself is deleted, what it took over stays with whom it is', async () => {
    const keys = keysOf(app);
    const objects = await objectsOf(app, id);
    const [taken, ...made] = objects as [string, ...string[]];
    // As a load leaves it: the same records in another generation; here the current one has none of them.
    await gateState(app, id).setLimits({ contextVersion: 3, generation: 3 });
    await app.redis.send(['ZADD', keys.generations(id), 0, 1], WRITE);
    await takeOver(app, id, 1, [taken]);
    const place = { id, generation: 3 };
    expect(await old.reclaim(place, { generation: 1 })).toEqual(NOTHING);
    const done = await old.reclaim(place, { generation: 1, abandoned: true });
    expect(done).toEqual({ records: RECORDS, objects: 4, gone: true });
    expect([...(await doomedIn(app, id, 3)).keys()].toSorted()).toEqual(made);
    expect(await keysOfGeneration(app, id, 1)).toEqual([]);
  });

  it('is not begun anew by an object that is named late: one being loaded, and the current one, take names', async () => {
    const keys = keysOf(app);
    await flip(app, id, 1, 2);
    await old.reclaim({ id, generation: 2 }, { generation: 1 });
    const name = (generation: number) =>
      runScript(app.redis, registerObject, {
        keys: { gate: keys.gate(id), index: keys.index(id, generation) },
        args: { object: newUlid(Date.now()), forMs: 60_000 },
        kind: 'write',
      });
    expect(await name(1)).toBe(0);
    expect(await keysOfGeneration(app, id, 1)).toEqual([]);
    for (const generation of [2, 3]) expect(await name(generation)).toBeGreaterThan(Date.now());
  });

  it('goes once, whoever reclaims it at the same time', async () => {
    for (let i = 0; i < 300; i++) await app.cache.set(caller, named(`k${i}`), value);
    await flip(app, id, 1, 2);
    const all = await Promise.all([1, 2, 3].map(() => old.reclaim({ id, generation: 2 }, { generation: 1 })));
    expect(all.filter(({ gone }) => gone)).toHaveLength(1);
    expect(await keysOfGeneration(app, id, 1)).toEqual([]);
    expect(new Set((await doomedIn(app, id, 2)).keys()).size).toBe(5);
  });
});

describe('clean-up of old generations [K3 P6]', () => {
  const ownApp = (failpoint?: FailpointHook, name = `oc-${newUlid(Date.now())}`) =>
    testApp({ env: { PERSISTENCE_CACHE_KEY_PREFIX: name }, ...(failpoint === undefined ? {} : { failpoint }) });

  it('waits for an hour: a restore may still read what was written last; then each goes, the oldest first', async () => {
    const app = await ownApp();
    const { tenantId: id } = await fullTenant(app);
    await flip(app, id, 1, 2, RETIRED_FOR_MS - 60_000);
    expect(await app.cleanUp.run()).toMatchObject({ superseded: 0 });
    await flip(app, id, 1, 2);
    await flip(app, id, 2, 3, RETIRED_FOR_MS + 1_000);
    await app.redis.send(['ZADD', keysOf(app).generations(id), 0, 9], WRITE);
    expect(await app.cleanUp.run()).toMatchObject({ superseded: RECORDS, finished: true });
    expect(await listedGenerations(app, id)).toEqual(['9']);
    // The objects are due at once: nobody has had them for longer than a read takes.
    await app.cleanUp.run();
    expect((await objectsOf(app, id)).length).toBeLessThanOrEqual(1);
  });

  it('goes on wherever it was cut short: before and after every call', async () => {
    const prepare = async () => {
      const app = await ownApp();
      const caller = await fullTenant(app);
      const objects = await objectsOf(app, caller.tenantId);
      await takeOver(app, caller.tenantId, 2, objects.slice(1, 2));
      await flip(app, caller.tenantId, 1, 2);
      return { app, caller, objects };
    };
    const cutAt = async (cut: number) => {
      const { app, caller, objects } = await prepare();
      let seen = 0;
      const cutting = await ownApp(() => {
        if (seen++ >= cut) throw new Error('the process ended here');
      }, app.config.cache.keyPrefix);
      await cutting.cleanUp.run().catch(() => {});
      await app.cleanUp.run();
      const { tenantId: id } = caller;
      expect({ cut, keys: await keysOfGeneration(app, id, 1) }).toEqual({ cut, keys: [] });
      expect({ cut, listed: await listedGenerations(app, id) }).toEqual({ cut, listed: [] });
      await app.cleanUp.run();
      const left = await objectsOf(app, id);
      expect(left).toContain(objects[1]);
      for (const name of left)
        if (name !== objects[1]) expect([...(await doomedIn(app, id, 2)).keys()]).toContain(name);
      await Promise.all([app.close(), cutting.close()]);
      return seen > cut;
    };
    let cut = 0;
    while (await cutAt(cut)) cut++;
    expect(cut).toBeGreaterThanOrEqual(10);
  });
});
