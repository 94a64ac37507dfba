/** What requests cost while checkpoints are told of changes: calls inside their scripts, by Redis' own count. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningRedis, startRedis } from '../../infra/local/redis/start-redis.ts';
import type { App } from '../../lib/app.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { newTenant, testApp } from '../support/app.ts';
import { gateState } from '../support/gate-state.ts';
import { texts } from '../support/spill-tools.ts';
import { checkpoint, newBucket } from '../support/state-app.ts';

let dir: string;
let redis: RunningRedis;
let app: App;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'riptide-checkpoint-cost-'));
  redis = await startRedis({ dir, appendonly: false });
  app = await testApp({ env: { REDIS_URL: redis.url, PERSISTENCE_BLOBS_BUCKET: await newBucket() } });
});
afterAll(async () => {
  await redis.stop();
  await rm(dir, { recursive: true });
});

const meta = { content_type: 'text/plain' };
const named = (key: string) => ({ namespace: 'ns', key });
const set = (caller: Caller, key: string) =>
  app.cache.set(caller, named(key), { value: Buffer.from('v'), meta, ttlMs: null });

/** Calls inside the scripts of some work. */
async function innerCallsOf(work: () => Promise<unknown>): Promise<number> {
  await app.redis.send(['CONFIG', 'RESETSTAT'], { kind: 'write' });
  await work();
  const stats = (await app.redis.send(['INFO', 'commandstats'], { kind: 'read' })) as string;
  const calls = [...stats.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)];
  return calls.reduce((sum, [, name, n]) => (/^(evalsha|config|info)/.test(`${name}`) ? sum : sum + Number(n)), 0);
}

describe('requests of a tenant whose changes checkpoints are told of [K2 P5]', () => {
  let caller: Caller;
  let session: string;
  const update = (n: number, of = caller, id = session) =>
    innerCallsOf(() => app.sessions.update(of, id, { set: texts({ a: n }), remove: [], replace: false }));

  beforeAll(async () => {
    ({ caller } = await newTenant(app));
    ({ id: session } = await app.sessions.create(caller, { data: texts({ a: 0 }) }));
    // From here on Redis knows the scripts, and nothing is settled of what was loaded before.
    await set(caller, 'k');
    await app.cache.get(caller, named('k'));
    await app.sessions.get(caller, session);
    await update(1);
    await checkpoint(app);
    expect((await gateState(app, caller.tenantId).meter()).feedEpoch).toBeGreaterThan(0n);
  });

  it('update of a session: one call more once after each checkpoint, else as many as without', async () => {
    const without = await newTenant(app);
    const { id } = await app.sessions.create(without.caller, { data: texts({ a: 0 }) });
    const plain: number[] = [];
    for (let n = 1; n < 15; n++) plain.push(await update(n, without.caller, id));
    // Its header grows until it has its last operations, and numbers of two digits.
    const usual = plain.at(-1) as number;
    expect(usual).toBeLessThanOrEqual(5);
    for (let n = 1; n < 15; n++) await update(n);
    await update(24);
    for (let round = 0; round < 2; round++) {
      await checkpoint(app);
      expect(await update(25)).toBe(usual + 1);
      expect(await update(26)).toBe(usual);
      expect(await update(27)).toBe(usual);
    }
  });

  it('writes of the cache: what they cost without', async () => {
    const without = await newTenant(app);
    const costs = async (of: Caller) => [
      await innerCallsOf(() => set(of, 'one')),
      await innerCallsOf(() => set(of, 'one')),
      await innerCallsOf(() => set(of, 'one')),
      await innerCallsOf(() => app.cache.delete(of, named('one'))),
      await innerCallsOf(() => app.cache.delete(of, named('one'))),
    ];
    await set(without.caller, 'k');
    await costs(without.caller);
    const plain = await costs(without.caller);
    expect(Math.max(...plain)).toBeLessThanOrEqual(7);
    await checkpoint(app);
    expect(await costs(caller)).toEqual(plain);
    await set(caller, 'one');
    await checkpoint(app);
    // Written over, and told of: in the write of the index that is made anyway.
    expect(await innerCallsOf(() => set(caller, 'one'))).toBe(plain[1]);
  });

  it('reads: what they cost without', async () => {
    await set(caller, 'k');
    await checkpoint(app);
    expect(await innerCallsOf(() => app.cache.get(caller, named('k')))).toBeLessThanOrEqual(4);
    expect(await innerCallsOf(() => app.sessions.get(caller, session, { touch: false }))).toBeLessThanOrEqual(4);
  });
});
