/** Loading through the cache: one load for all who miss, whatever happens to it. Loads are counted, and nothing is timed. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type RunningCluster, startCluster } from '../../infra/local/redis/start-cluster.ts';
import { startUpstashEndpoint } from '../../infra/local/upstash/start-upstash-endpoint.ts';
import type { App } from '../../lib/app.ts';
import type { Selector } from '../../lib/cache/invalidation/selector.ts';
import type { LoadContext, Obtained } from '../../lib/cache/loading/get-or-set-options.ts';
import { getOrSetJson } from '../../lib/cache/loading/json-value.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { auditTenant } from '../support/audit-tenant.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { ownRedis } from '../support/redis-own.ts';

const name = { namespace: 'ns', key: 'k' };
const meta = { content_type: 'text/plain' };
const bytes = (text: string) => Buffer.from(text);
const textOf = (obtained: Obtained | null) => obtained?.value.toString() ?? null;

/** A load that ends when it is told to; counts how often it began. */
function gatedLoad(text: string) {
  const began = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const state = { loads: 0 };
  const load = async () => {
    state.loads++;
    began.resolve();
    await ended.promise;
    return { value: bytes(text), meta };
  };
  return { state, load, began: began.promise, end: ended.resolve, fail: ended.reject };
}

describe.each([...TRANSPORTS, 'cluster'] as const)('getOrSet over %s [C7 C9]', (setup) => {
  let app: App;
  let other: App;
  let cluster: RunningCluster | undefined;
  beforeAll(async () => {
    const own = setup === 'cluster' ? await ownCluster() : undefined;
    cluster = own?.cluster;
    [app, other] = await Promise.all([open(), open()]);
    return own?.stop;
  });
  const open = () =>
    cluster === undefined
      ? testApp({ transport: setup === 'rest' ? 'rest' : 'tcp' })
      : testApp({ env: { REDIS_URL: cluster.url, PERSISTENCE_REDIS_CLUSTER_MODE: 'true' } });
  const stored = async (instance: App, caller: Caller, stale = false) => {
    const found = await instance.cache.get(caller, name, { stale });
    return found === null || 'unchanged' in found ? null : found.value.toString();
  };
  const once = (text: string) => async () => ({ value: bytes(text), meta });
  const never = () => Promise.reject(new Error('it was loaded again'));
  /** An entry in its grace. */
  const putStale = async (caller: Caller, text: string) => {
    await app.cache.set(caller, name, { value: bytes(text), meta, ttlMs: 1, graceMs: 60_000 });
    await expect.poll(() => stored(app, caller), { timeout: 5_000 }).toBeNull();
  };

  it('loads what is missing, stores it as the load says, and serves it from there on', async () => {
    const { tenant, caller } = await newTenant(app);
    const load = async (context: LoadContext) => {
      context.setTtl(5_000);
      context.setGrace(1_000);
      context.setTags(['t']);
      return { value: bytes('v'), meta };
    };
    const loaded = await app.cache.getOrSet(caller, name, load, { ttlMs: 60_000 });
    expect(loaded).toEqual({
      value: bytes('v'),
      meta: { ...meta, tags: ['t'] },
      from: 'load',
      stale: false,
      notStored: null,
    });
    expect(await other.cache.getOrSet(caller, name, never)).toEqual({ ...loaded, from: 'cache' });
    const { expiresAtMs, freshUntilMs, updatedAtMs = 0 } = (await app.cache.head(caller, name)) ?? {};
    expect([Number(freshUntilMs) - updatedAtMs, Number(expiresAtMs) - updatedAtMs]).toEqual([5_000, 6_000]);
    expect(await auditTenant(app, tenant.id)).toBe(1);
  });

  it('loads once for all who miss at once, in one instance and in another', async () => {
    const { caller } = await newTenant(app);
    await Promise.all([app, other].map((instance) => instance.cache.get(caller, name)));
    const { state, load, end, began } = gatedLoad('v');
    const calls = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? app : other).cache.getOrSet(caller, name, load));
    await began;
    end();
    expect(new Set((await Promise.all(calls)).map(textOf))).toEqual(new Set(['v']));
    expect(state.loads).toBe(1);
  });

  it('gives each caller bytes of its own', async () => {
    const { caller } = await newTenant(app);
    const { load, began, end } = gatedLoad('v');
    const calls = [1, 2].map(() => app.cache.getOrSet(caller, name, load));
    await began;
    end();
    const [one = null, two = null] = await Promise.all(calls);
    one?.value.fill('x');
    expect([textOf(two), await stored(app, caller)]).toEqual(['v', 'v']);
  });

  it('never lets a late load overwrite what was loaded under the next lease', async () => {
    const { caller } = await newTenant(app);
    const late = gatedLoad('late');
    const first = app.cache.getOrSet(caller, name, late.load, { leaseMs: 20 });
    await late.began;
    expect(textOf(await other.cache.getOrSet(caller, name, once('next'), { whenBusy: 'wait' }))).toBe('next');
    late.end();
    expect(await first).toMatchObject({ value: bytes('late'), from: 'load', notStored: 'lease_lost' });
    expect(await stored(other, caller)).toBe('next');
  });

  it.each([
    ['removed', (caller: Caller) => other.cache.delete(caller, name), null],
    ['written', (caller: Caller) => other.cache.set(caller, name, { value: bytes('w'), meta, ttlMs: null }), 'w'],
  ] as const)('does not store what was %s while it was loaded', async (_what, change, left) => {
    const { tenant, caller } = await newTenant(app);
    const { load, began, end } = gatedLoad('old');
    const call = app.cache.getOrSet(caller, name, load);
    await began;
    await change(caller);
    end();
    expect(await call).toMatchObject({ value: bytes('old'), notStored: 'lease_lost' });
    expect(await stored(app, caller)).toBe(left);
    await auditTenant(app, tenant.id);
  });

  it.each<readonly [string, Selector]>([
    ['its tag', { by: 'tags', tags: ['t'] }],
    ['its namespace', { by: 'namespace', namespace: 'ns' }],
    ['a prefix', { by: 'prefix', namespace: 'ns', prefix: 'k' }],
    ['all', { by: 'all' }],
  ])('does not store what was invalidated while it was loaded: %s', async (_what, selector) => {
    const { tenant, caller } = await newTenant(app);
    const { load, began, end } = gatedLoad('old');
    const call = app.cache.getOrSet(caller, name, load, { tags: ['t'] });
    await began;
    await other.invalidation.invalidate(caller, { selector, dry: false });
    end();
    expect(await call).toMatchObject({ value: bytes('old'), notStored: 'lease_lost' });
    expect(await stored(app, caller)).toBeNull();
    await auditTenant(app, tenant.id);
  });

  it('takes over from a holder that died, once its lease is over', async () => {
    const { caller } = await newTenant(app);
    const dead = await other.cache.getOrLease(caller, name, { leaseMs: 150, earlyShare: 0 });
    expect(dead.lease.state).toBe('granted');
    let loads = 0;
    const load = async () => {
      loads++;
      return { value: bytes('v'), meta };
    };
    const calls = Array.from({ length: 20 }, () => app.cache.getOrSet(caller, name, load));
    expect(new Set((await Promise.all(calls)).map(textOf))).toEqual(new Set(['v']));
    expect(loads).toBe(1);
    const token = (dead.lease as { readonly token: string }).token;
    await expect(
      other.cache.set(caller, name, { value: bytes('dead'), meta, ttlMs: null, lease: token }),
    ).rejects.toMatchObject({ code: 'lease_lost' });
  });

  it('waits no longer than it is told to: then it loads without storing, once in an instance, or says so', async () => {
    const { caller } = await newTenant(app);
    await other.cache.getOrLease(caller, name, { leaseMs: 60_000, earlyShare: 0 });
    const { state, load, began, end } = gatedLoad('v');
    const calls = [1, 2, 3].map(() => app.cache.getOrSet(caller, name, load, { waitMs: 30 }));
    await began;
    const thrown = app.cache.getOrSet(caller, name, never, { waitMs: 1, whenWaitEnds: 'throw' });
    await expect(thrown).rejects.toMatchObject({ code: 'load_timeout' });
    end();
    for (const call of calls) expect(await call).toMatchObject({ value: bytes('v'), notStored: 'unguarded' });
    expect([await stored(app, caller), state.loads]).toEqual([null, 1]);
  });

  it('keeps that there is none, for as long as it is told to; a read sees a miss', async () => {
    const { tenant, caller } = await newTenant(app);
    expect(await app.cache.getOrSet(caller, name, async () => null, { negativeTtlMs: 60_000 })).toBeNull();
    expect(await other.cache.getOrSet(caller, name, never)).toBeNull();
    expect([await app.cache.get(caller, name), await app.cache.head(caller, name)]).toEqual([null, null]);
    expect(await auditTenant(app, tenant.id)).toBe(1);
    await app.cache.set(caller, name, { value: bytes('now'), meta, ttlMs: null });
    expect(textOf(await other.cache.getOrSet(caller, name, never))).toBe('now');
  });

  it('does not keep it unless it is told to, nor what the load says is not to be kept', async () => {
    const { caller } = await newTenant(app);
    expect(await app.cache.getOrSet(caller, name, async () => null)).toBeNull();
    const skipping = async ({ skip }: LoadContext) => {
      skip();
      return { value: bytes('once'), meta };
    };
    expect(await app.cache.getOrSet(caller, name, skipping)).toMatchObject({ notStored: 'skipped' });
    // The lease was given back each time: nobody waits for it.
    expect(await other.cache.getOrLease(caller, name, { leaseMs: 1_000, earlyShare: 0 })).toMatchObject({
      entry: null,
      lease: { state: 'granted' },
    });
  });

  it('serves what is stale, labelled, while somebody else loads, and waits where it is told to', async () => {
    const { caller } = await newTenant(app);
    await putStale(caller, 'old');
    const { load, began, end } = gatedLoad('new');
    const loading = other.cache.getOrSet(caller, name, load);
    await began;
    expect(await app.cache.getOrSet(caller, name, never)).toMatchObject({
      value: bytes('old'),
      stale: true,
      from: 'cache',
    });
    const waiting = app.cache.getOrSet(caller, name, never, { whenBusy: 'wait' });
    end();
    expect([textOf(await loading), textOf(await waiting)]).toEqual(['new', 'new']);
  });

  it('serves what is stale when the load fails, and the next may try at once', async () => {
    const { caller } = await newTenant(app);
    await putStale(caller, 'old');
    const failing = async ({ stale }: LoadContext) => {
      expect(stale?.value.toString()).toBe('old');
      throw new Error('the source is down');
    };
    for (const instance of [app, other]) {
      const served = await instance.cache.getOrSet(caller, name, failing);
      expect(served).toMatchObject({ value: bytes('old'), stale: true });
    }
    expect(textOf(await other.cache.getOrSet(caller, name, once('new')))).toBe('new');
    const fresh = { ...name, key: 'other' };
    const down = () => Promise.reject(new Error('the source is down'));
    await expect(app.cache.getOrSet(caller, fresh, down)).rejects.toThrow('the source is down');
    expect(textOf(await other.cache.getOrSet(caller, fresh, once('up')))).toBe('up');
  });

  it('does not wait for a slow load longer than it is told to; the load goes on, and is stored', async () => {
    const { caller } = await newTenant(app);
    const slow = gatedLoad('slow');
    const first = app.cache.getOrSet(caller, name, slow.load, { hardTimeoutMs: 20 });
    await expect(first).rejects.toMatchObject({ code: 'load_timeout' });
    slow.end();
    await expect.poll(() => stored(app, caller), { timeout: 5_000 }).toBe('slow');
    await putStale(caller, 'old');
    const slower = gatedLoad('slower');
    const background: Promise<void>[] = [];
    const options = { softTimeoutMs: 5, waitUntil: (work: Promise<void>) => void background.push(work) };
    const served = await app.cache.getOrSet(caller, name, slower.load, options);
    expect(served).toMatchObject({ value: bytes('old'), stale: true });
    slower.end();
    await Promise.all(background);
    expect([await stored(app, caller), background.length]).toEqual(['slower', 1]);
  });

  it('loads anew before the end of a lifetime, in the background and once', async () => {
    const { caller } = await newTenant(app);
    await app.cache.set(caller, name, { value: bytes('old'), meta, ttlMs: 60_000 });
    const { state, load, end } = gatedLoad('new');
    const background: Promise<void>[] = [];
    const options = { earlyShare: 0.000_5, waitUntil: (work: Promise<void>) => void background.push(work) };
    const get = (instance: App) => instance.cache.getOrSet(caller, name, load, options);
    // Half a thousandth of its life is 30 ms.
    await expect.poll(async () => (await get(app)) && state.loads, { timeout: 5_000 }).toBe(1);
    expect([textOf(await get(app)), textOf(await get(other))]).toEqual(['old', 'old']);
    end();
    await Promise.all(background);
    expect([await stored(other, caller), state.loads]).toEqual(['new', 1]);
  });

  it('tells why nothing was stored, and serves what was loaded all the same', async () => {
    const { caller } = await newTenant(app, { quotas: { operations_per_minute: 1_000_000, memory_bytes: 1_000 } });
    const large = randomBytes(5_000);
    const obtained = await app.cache.getOrSet(caller, name, async () => ({ value: large, meta }));
    expect(obtained).toMatchObject({ value: large, notStored: 'memory_full' });
    const wrong = app.cache.getOrSet(caller, name, async () => ({ value: large, meta, ttlMs: 0.5 }));
    await expect(wrong).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it('refuses whom the gate refuses, also while a load is under way', async () => {
    const { caller } = await newTenant(app);
    const { load, began, end } = gatedLoad('v');
    const call = app.cache.getOrSet(caller, name, load);
    await began;
    const stranger = { ...caller, keyHash: '0'.repeat(64) };
    await expect(app.cache.getOrSet(stranger, name, never)).rejects.toMatchObject({ code: 'key_unknown' });
    end();
    expect(textOf(await call)).toBe('v');
  });

  it('gives a load up when all who wait have given up', async () => {
    const { caller } = await newTenant(app);
    const deadlines = [new AbortController(), new AbortController()] as const;
    const gone = Promise.withResolvers<void>();
    const began = Promise.withResolvers<void>();
    const load = async ({ signal }: LoadContext) => {
      began.resolve();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      gone.resolve();
      throw signal.reason;
    };
    const calls = deadlines.map(({ signal }) =>
      app.cache.getOrSet({ ...caller, signal }, name, load).catch((e) => e.code),
    );
    await began.promise;
    await app.cache.get(caller, name);
    for (const deadline of deadlines) deadline.abort();
    expect(await Promise.all(calls)).toEqual(['deadline_exceeded', 'deadline_exceeded']);
    await gone.promise;
  });

  it('reads through the loader of a namespace, and typed JSON', async () => {
    const { tenant, caller } = await newTenant(app);
    const namespace = `through-${randomBytes(4).toString('hex')}`;
    app.cache.registerLoader(namespace, async ({ name: { key }, tenantId }) => ({
      value: bytes(`${tenantId} ${key}`),
    }));
    const through = () => app.cache.getThrough(caller, { namespace, key: 'a' });
    expect([textOf(await through()), (await through())?.from]).toEqual([`${tenant.id} a`, 'cache']);
    expect(() => app.cache.registerLoader(namespace, never)).toThrow(TypeError);
    await expect(app.cache.getThrough(caller, name)).rejects.toThrow(TypeError);
    const parse = (json: unknown) => Number((json as { n: unknown }).n);
    const call = { caller, name: { ...name, key: 'json' } };
    const load = async () => ({ n: 7 }) as never;
    for (const from of ['load', 'cache']) {
      expect(await getOrSetJson(app.cache, call, load, { parse })).toMatchObject({ value: 7, from });
    }
  });
});

describe.each(TRANSPORTS)('getOrSet while Redis fails, over %s [C7 G1]', (transport) => {
  const setUp = async () => {
    const redis = await ownRedis();
    const rest = await startUpstashEndpoint({ redisUrl: redis.url, token: 'a-token-of-the-test' });
    onTestFinished(() => rest.stop());
    const proxy: FaultProxy = await startFaultProxy({ targetPort: transport === 'tcp' ? redis.port : rest.port });
    onTestFinished(() => proxy.stop());
    const quick = { PERSISTENCE_REDIS_COMMAND_TIMEOUT_MS: '300', PERSISTENCE_REDIS_CONNECTION_TIMEOUT_MS: '300' };
    const env: Record<string, string> =
      transport === 'tcp'
        ? { REDIS_URL: `redis://127.0.0.1:${proxy.port}` }
        : { UPSTASH_REDIS_REST_URL: `http://127.0.0.1:${proxy.port}`, UPSTASH_REDIS_REST_TOKEN: 'a-token-of-the-test' };
    const app = await testApp({ transport, env: { ...env, ...quick } });
    const { caller } = await newTenant(app);
    return { app, caller, proxy };
  };
  const fails = { refused: (proxy: FaultProxy) => proxy.refuse(), frozen: (proxy: FaultProxy) => proxy.mode('hang') };

  it.each(['refused', 'frozen'] as const)('serves what was loaded when Redis is %s meanwhile', async (how) => {
    const { app, caller, proxy } = await setUp();
    const { state, load, began, end } = gatedLoad('v');
    const call = app.cache.getOrSet(caller, name, load);
    await began;
    await fails[how](proxy);
    end();
    const obtained = await call;
    expect(textOf(obtained)).toBe('v');
    expect(['store_unavailable', 'outcome_unknown']).toContain(obtained?.notStored);
    expect(state.loads).toBe(1);
  });

  it('loads once for all as if there were no cache, for keys it knows, unless it is told not to', async () => {
    const { app, caller, proxy } = await setUp();
    await app.cache.get(caller, name);
    await proxy.refuse();
    const { state, load, end, began } = gatedLoad('v');
    const calls = Array.from({ length: 10 }, () => app.cache.getOrSet(caller, name, load));
    await began;
    const told = app.cache.getOrSet(caller, name, load, { onUnavailable: 'throw' }).catch((error) => error.status);
    const unknown = app.cache
      .getOrSet({ ...caller, keyHash: '0'.repeat(64) }, name, load)
      .catch((error) => error.status);
    expect([await told, await unknown]).toEqual([503, 503]);
    await expect.poll(() => state.loads).toBe(1);
    end();
    for (const call of calls) expect(await call).toMatchObject({ value: bytes('v'), notStored: 'unguarded' });
  });
});

async function ownCluster() {
  const dir = await mkdtemp(join(tmpdir(), 'riptide-load-cluster-'));
  const cluster = await startCluster({ dir });
  const stop = async () => {
    await cluster.stop();
    await rm(dir, { recursive: true, force: true });
  };
  return { cluster, stop };
}
