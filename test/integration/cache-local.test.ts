/** Copies in the memory of an instance: Redis is asked about them, or not for so long as the tenant allows. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { gateState } from '../support/gate-state.ts';

const name = { namespace: 'ns', key: 'k' };
const big = (letter: string) => Buffer.from(letter.repeat(10_000));
const meta = { content_type: 'text/plain', tags: ['t'] };
const set = (value: Buffer, ttlMs: number | null = 60_000) => ({ value, meta, ttlMs });
const feed = (max_stale_ms: number) => ({ cache: { namespaces: { ns: { max_stale_ms } } } });

describe.each(TRANSPORTS)('copies in instances over %s [C7 C10]', (transport) => {
  let app: App;
  let other: App;
  let trips = 0;
  const count: FailpointHook = ({ phase }) => {
    if (phase === 'before') trips++;
  };
  beforeAll(async () => {
    [app, other] = await Promise.all([testApp({ transport, failpoint: count }), testApp({ transport })]);
  });
  const tripsOf = async (work: () => Promise<unknown>) => {
    const before = trips;
    await work();
    return trips - before;
  };
  const letterOf = async (instance: App, caller: Caller) => {
    const found = await instance.cache.get(caller, name);
    return found === null || 'unchanged' in found ? null : found.value.toString('utf8', 0, 1);
  };
  const stored = async (caller: Caller) => (await app.cache.get(caller, name)) as { readonly value: Buffer };

  it('are served as Redis confirms them: the value does not travel, and is metered as if it did', async () => {
    const { tenant, caller } = await newTenant(app);
    const gate = gateState(app, tenant.id);
    await other.cache.set(caller, name, set(big('a')));
    const first = await app.cache.get(caller, name);
    const before = await gate.meter();
    const second = await app.cache.get(caller, name);
    expect(second).toEqual({ ...first, ageMs: expect.any(Number) });
    const after = await gate.meter();
    expect([after.ops - before.ops, after.hits - before.hits]).toEqual([1n, 1n]);
    expect([after.bytesOut - before.bytesOut, after.transfer - before.transfer]).toEqual([10_000n, 10_000n]);
    const etag = (first as { readonly etag: string }).etag;
    expect(await app.cache.get(caller, name, { ifNoneMatch: [etag] })).toMatchObject({ unchanged: true });
    expect((await gate.meter()).transfer).toBe(after.transfer);
  });

  it('never hide what another instance did: a new value, other times, a removal', async () => {
    const { caller } = await newTenant(app);
    await app.cache.set(caller, name, set(big('a')));
    expect(await letterOf(app, caller)).toBe('a');
    await other.cache.set(caller, name, set(big('b'), null));
    expect(await letterOf(app, caller)).toBe('b');
    await other.cache.set(caller, name, set(big('b'), 60_000));
    expect(await app.cache.get(caller, name)).toMatchObject({ expiresAtMs: expect.any(Number) });
    await other.cache.delete(caller, name);
    expect(await letterOf(app, caller)).toBeNull();
  });

  it('are the own of who is given them', async () => {
    const { caller } = await newTenant(app);
    await app.cache.set(caller, name, set(big('a')));
    (await stored(caller)).value.fill('x');
    (await stored(caller)).value.fill('y');
    expect(await letterOf(app, caller)).toBe('a');
  });

  it('are of one tenant: the same name of another is another entry', async () => {
    const [one, two] = [await newTenant(app), await newTenant(app)];
    await app.cache.set(one.caller, name, set(big('a')));
    expect(await letterOf(app, one.caller)).toBe('a');
    expect(await letterOf(app, two.caller)).toBeNull();
  });

  it('answer without Redis for as long as the namespace may be stale, and no read is metered', async () => {
    const { tenant, caller } = await newTenant(app, feed(60_000));
    await app.cache.get(caller, name);
    await app.cache.set(caller, name, set(Buffer.from('small')));
    const before = await gateState(app, tenant.id).meter();
    expect(await tripsOf(async () => expect(await letterOf(app, caller)).toBe('s'))).toBe(0);
    await other.cache.set(caller, name, set(Buffer.from('new')));
    expect(await tripsOf(async () => expect(await letterOf(app, caller)).toBe('s'))).toBe(0);
    expect((await gateState(app, tenant.id).meter()).ops).toBe(before.ops + 1n);
    await app.cache.set(caller, name, set(Buffer.from('own')));
    expect(await letterOf(app, caller)).toBe('o');
    await app.cache.delete(caller, name);
    expect(await letterOf(app, caller)).toBeNull();
    await app.cache.set(caller, name, set(Buffer.from('tagged')));
    await app.invalidation.invalidate(caller, { selector: { by: 'tags', tags: ['t'] }, dry: false });
    expect(await letterOf(app, caller)).toBeNull();
  });

  it('do so only for keys this instance saw admitted to read, and where policies allow it', async () => {
    const { tenant, caller } = await newTenant(app, feed(60_000));
    await app.cache.set(caller, name, set(big('a')));
    const unseen = { ...caller, keyHash: '0'.repeat(64) };
    await expect(app.cache.get(unseen, name)).rejects.toMatchObject({ code: 'key_unknown' });
    expect(await tripsOf(() => app.cache.get(caller, name))).toBe(1);
    expect(await tripsOf(() => app.cache.get(caller, name))).toBe(0);
    const statements = [{ effect: 'deny' as const, actions: ['cache:read' as const], resources: ['cache/ns/*'] }];
    await app.tenantPolicies.set(tenant.id, { default: 'allow', statements }, {});
    await app.cache.set(caller, { ...name, key: 'other' }, set(big('a')));
    await expect(app.cache.get(caller, name)).rejects.toMatchObject({ code: 'access_denied' });
  });

  it('answer no longer than that, nor past the end of the entry', async () => {
    const { caller } = await newTenant(app, feed(1));
    await app.cache.set(caller, name, set(big('a')));
    await app.cache.get(caller, name);
    await other.cache.set(caller, name, set(big('b')));
    await expect.poll(() => letterOf(app, caller), { timeout: 5_000 }).toBe('b');
    const longer = await newTenant(app, feed(60_000));
    await app.cache.get(longer.caller, name);
    await app.cache.set(longer.caller, name, set(big('a'), 50));
    await expect.poll(() => letterOf(app, longer.caller), { timeout: 5_000 }).toBeNull();
  });

  it('are none at all where the deployment gives them no memory', async () => {
    const bare = await testApp({ transport, env: { PERSISTENCE_CACHE_LOCAL_MAX_BYTES: '0' }, failpoint: count });
    const { caller } = await newTenant(bare, feed(60_000));
    await bare.cache.set(caller, name, set(big('a')));
    for (let i = 0; i < 3; i++) expect(await tripsOf(() => bare.cache.get(caller, name))).toBe(1);
  });
});
