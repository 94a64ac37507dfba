/**
 * Many clients of a cache at once: everything that can be done to it, while calls fail and clients are killed. Each read is held
 * against the history of what was done; in the end every counter must be the sum of what is stored.
 */
import { expect } from 'vitest';
import type { App } from '../../lib/app.ts';
import { createReclaim } from '../../lib/cache/invalidation/reclaim.ts';
import type { EntryName } from '../../lib/keys.ts';
import { newTenant, type TestTenant } from './app.ts';
import { auditCache } from './cache-audit.ts';
import { doomedOf, letDoomedFallDue } from './cache-blobs.ts';
import { type CacheHistory, createCacheHistory } from './cache-history.ts';
import { CACHE_STEPS, KEYS, LONGEST_LIFE_MS, NAMESPACES, NUMBERS } from './cache-steps.ts';
import { gateState } from './gate-state.ts';
import type { RandomFaults } from './random-faults.ts';
import { randomOf } from './random-numbers.ts';
import { redisTimeMs } from './redis-time.ts';
import { setAccess } from './set-access.ts';
import { keysOf } from './tenant-state.ts';

/** Values above this go to S3. */
export const INLINE_MAX_BYTES = 8_192;

/** One tenant, and what was done to it. */
export interface Place extends TestTenant {
  readonly title: string;
  readonly history: CacheHistory;
  /** Something may be refused because there is no room. */
  readonly tight: boolean;
}

/** What a client does its next step with. */
export interface Client {
  readonly app: App;
  readonly place: Place;
  readonly faults: RandomFaults;
  readonly random: (below: number) => number;
}

const TIGHT = { memory_bytes: 40_000, storage_bytes: 150_000, operations_per_minute: 1_000_000 };

/** Roomy, roomy and sealed, of little room with and without eviction. */
async function newPlaces(app: App): Promise<readonly Place[]> {
  const place = async (title: string, changes: object, { tight = false, evicts = false } = {}): Promise<Place> => {
    const made = await newTenant(app, changes);
    return { ...made, title, tight, history: createCacheHistory({ evicts }) };
  };
  return Promise.all([
    place('roomy', {}),
    place('sealed', { encryption: true }),
    place('evicting', { quotas: TIGHT }, { tight: true, evicts: true }),
    place('full', { quotas: TIGHT, cache: { eviction_policy: 'none' } }, { tight: true }),
  ]);
}

export interface CacheLoad {
  readonly clients: number;
  /** Of all clients together. */
  readonly operations: number;
  readonly seed: number;
  readonly faults: RandomFaults;
}

/** What was done, and how it ended. */
export interface LoadReport {
  readonly steps: Record<string, number>;
  readonly faulted: number;
  readonly refused: number;
  readonly entries: number;
}

/**
 * Runs it. @param apps share Redis, S3 and a key prefix of their own, and fail by `faults`; the clients are divided among them.
 * @throws at the first read that cannot be; when a counter is off, or something is left over.
 */
export async function runCacheLoad(apps: readonly App[], load: CacheLoad): Promise<LoadReport> {
  const app = apps[0] as App;
  const places = await newPlaces(app);
  const report = { steps: {} as Record<string, number>, faulted: 0, refused: 0, entries: 0 };
  let left = load.operations;
  const work = async (number: number) => {
    const random = randomOf(load.seed * 1_000 + number);
    const own = apps[number % apps.length] as App;
    while (left-- > 0) {
      const place = places[random(places.length)] as Place;
      const [name, step] = pick(CACHE_STEPS, random);
      const { faulted, refused } = await step({ app: own, place, faults: load.faults, random });
      report.steps[name] = (report.steps[name] ?? 0) + 1;
      if (faulted) report.faulted++;
      if (refused) report.refused++;
    }
  };
  for (const one of apps) for (const { caller } of places) await learnKeys(one, caller);
  await Promise.all(Array.from({ length: load.clients }, (_, number) => work(number)));
  await Promise.all(places.map(({ tenant }) => auditCache(app, tenant.id)));
  for (const until = (await redisTimeMs(app)) + LONGEST_LIFE_MS + 1; (await redisTimeMs(app)) < until; );
  for (const place of places) report.entries += await settle(app, place);
  return report;
}

function pick<T>(weighted: readonly (readonly [name: string, weight: number, step: T])[], random: Client['random']) {
  let at = random(weighted.reduce((sum, [, weight]) => sum + weight, 0));
  for (const [name, weight, step] of weighted) {
    if (at < weight) return [name, step] as const;
    at -= weight;
  }
  throw new Error('There are no steps');
}

/** The instance has the tenant's data key from here on: many ask for it at once, and all of them fail with one. */
async function learnKeys(app: App, caller: Place['caller']): Promise<void> {
  const name = { namespace: 'first', key: 'k' };
  await app.cache.set(caller, name, { value: Buffer.of(1), meta: { content_type: 'application/x-test' }, ttlMs: null });
  await app.cache.delete(caller, name);
}

/** Nothing is under way: one cleaning, and all adds up. @returns how many entries are left. */
async function settle(app: App, place: Place): Promise<number> {
  const { id } = place.tenant;
  await createReclaim({ redis: app.redis, keys: keysOf(app), settleAfterMs: 0 }).run({ id, generation: 1 });
  await app.cleanUp.run();
  const count = await auditCache(app, id);
  // Objects stay a while, for those who read them.
  await letDoomedFallDue(app, keysOf(app), id);
  await app.cleanUp.run();
  expect(await auditCache(app, id)).toBe(count);
  expect(await doomedOf(app, id)).toEqual([]);
  expect(await gateState(app, id).read('v')).toBeNull();
  await forgetAccesses(app, place);
  expect(await readAll(app, place), `${place.title}: entries that are counted and cannot be seen`).toBe(count);
  // Their recency may have moved, and values may have come back from S3.
  expect(await auditCache(app, id)).toBe(count);
  return count;
}

/** As if the entries had been asked for minutes ago: those of who has little room are noted by the next read. */
async function forgetAccesses(app: App, { tenant: { id } }: Place): Promise<void> {
  for (const namespace of NAMESPACES) {
    for (const key of KEYS) {
      const stored = await app.redis.send(['EXISTS', keysOf(app).cacheEntry(id, 1, { namespace, key })], {
        kind: 'read',
      });
      if (stored === 1) await setAccess(app, id, { namespace, key }, -2);
    }
  }
}

/** Reads every entry there may be. @returns how many there are. */
async function readAll(app: App, { caller, history }: Place): Promise<number> {
  let count = 0;
  for (const name of NAMESPACES.flatMap((namespace) => KEYS.map((key): EntryName => ({ namespace, key })))) {
    const start = history.now();
    const entry = await app.cache.get(caller, name);
    const id = `${name.namespace}/${name.key}`;
    if (entry === null) expect(history.whyNotMissed(id, start), id).toBeNull();
    else if ('value' in entry) expect(history.whyNotSeen(id, entry.value, start), id).toBeNull();
    if (entry !== null) count++;
  }
  for (const key of NUMBERS) {
    const start = history.now();
    const entry = await app.cache.get(caller, { namespace: 'num', key });
    const number = entry !== null && 'value' in entry ? Number(entry.value.toString()) : 0;
    expect(history.whyNotCounted(key, number, start), key).toBeNull();
    if (entry !== null) count++;
  }
  return count;
}
