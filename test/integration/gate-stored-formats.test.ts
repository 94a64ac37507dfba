/** A Redis as an earlier version left it is served by this one: through the gate, by every script. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { parseApiKey } from '../../lib/gate/caller.ts';
import { minutePoint, unpackCounters } from '../../lib/gate/counters.ts';
import { newTenantId, newUlid } from '../../lib/ids.ts';
import { removeExpiredRecords } from '../../lib/redis/bindings/record-scripts.ts';
import { runScript } from '../../lib/redis/script.ts';
import { newTenant, newTenantRequest, testApp } from '../support/app.ts';
import { auditTenant } from '../support/audit-tenant.ts';
import { gateState } from '../support/gate-state.ts';
import { GOLDEN_PREFIX, golden, goldenGate, goldenKeys } from '../support/stored-formats.ts';

/** The same counters as each format before had them. */
const OLD_COUNTERS = [
  ['m1', goldenGate.m ?? ''],
  ['m2', withoutNumbers(golden.counters, [11, 22, 23]).replace('m3', 'm2')],
  ['m3', golden.counters],
  ['m4', golden.sessionCounters],
] as const;

const RECORD_OVERHEAD_BYTES = 200;

function withoutNumbers(text: string, places: readonly number[]): string {
  const [tag, ...numbers] = text.split(',');
  return [tag, ...numbers.filter((_, place) => !places.includes(place))].join(',');
}

describe('data of earlier versions [C1 C3 T1 T2 A14]', () => {
  let app: App;
  const { tenant } = golden;
  const caller = parseApiKey(golden.apiKey);
  const named = (key: string) => ({ namespace: 'ns', key });

  /** Each test begins with what the fixture holds, and nothing else. */
  beforeAll(async () => {
    app = await testApp({ env: { PERSISTENCE_CACHE_KEY_PREFIX: GOLDEN_PREFIX } });
    const commands = [
      ...Object.entries(golden.strings).map(([key, text]) => ['SET', key, text] as const),
      ...Object.entries(golden.hashes).map(([key, fields]) => ['HSET', key, ...Object.entries(fields).flat()] as const),
      ...Object.entries(golden.sortedSets).map(
        ([key, members]) => ['ZADD', key, ...members.flatMap((member) => [0, member])] as const,
      ),
    ];
    for (const reply of await app.redis.sendAll(commands, { kind: 'write' })) expect(reply).not.toBeInstanceOf(Error);
  });

  it('serves every entry to its key, with its metadata', async () => {
    for (const { key, value_base64, meta } of golden.entries) {
      expect(await app.cache.get(caller, named(key))).toMatchObject({
        value: Buffer.from(value_base64, 'base64'),
        meta,
      });
      expect(await app.cache.head(caller, named(key))).toMatchObject({ meta });
    }
  });

  it('holds counters and an index that are those of its entries', async () => {
    expect(await auditTenant(app, tenant.id)).toBe(golden.entries.length);
  });

  it('knows the tenant, its key and its scopes, and refuses the key that was revoked', async () => {
    expect(await app.tenants.get(tenant.id)).toEqual(tenant);
    expect(await app.account.identify(caller)).toMatchObject({ scopes: ['cache:read', 'cache:write'] });
    const revoked = parseApiKey(golden.revokedKey);
    await expect(app.account.identify(revoked)).rejects.toMatchObject({ code: 'key_revoked' });
  });

  it('does not create the tenant again, and gives its abandoned place back', async () => {
    const ulid = tenant.id.slice('tenant-'.length);
    expect(await app.tenants.create(newTenantRequest(), { ulid })).toEqual(tenant);
    expect(await app.tenants.repair()).toEqual({ finished: 0, released: 2 });
    expect(await app.tenants.listIds({ limit: 10 })).toEqual([newTenantId(ulid)]);
  });

  it('holds what was reserved, and frees it as abandoned', async () => {
    const stored = () => app.quotas.check(tenant.id, { resource: 'storage_bytes' });
    expect(await stored()).toMatchObject({ used: 0, held: 700 });
    expect(await app.abandonedHolds.run()).toEqual({ reservationsFreed: 1 });
    expect(await stored()).toMatchObject({ used: 0, held: 0 });
  });

  it.each(OLD_COUNTERS)(
    'takes counters on that are of format %s, in a call and in clean-up [T4 T6]',
    async (_, text) => {
      const { caller, tenant } = await newTenant(app);
      const gate = gateState(app, tenant.id);
      const { hits, bytesIn, memoryBytes, entries, seq, storageBytes, rawBytes, packedBytes, sessions, ...then } =
        unpackCounters(text);
      const kept = { hits, bytesIn, memoryBytes, entries, seq, storageBytes, rawBytes, packedBytes, sessions };
      const taken = async () => {
        const written = await gate.read('m');
        expect(written).toMatch(/^m5(?:,\d+){31}$/);
        expect(written).toMatch(/(?:,0){3}$/);
        return unpackCounters(written);
      };

      await gate.write('m', text);
      await app.cache.get(caller, named('none'));
      const { operations, misses } = then;
      expect(await taken()).toMatchObject({ ...kept, operations: operations + 1, misses: misses + 1 });
      // What is kept of the minute that had ended is of the new format, too.
      const point = await gate.read(minutePoint(then.minute));
      expect(unpackCounters(point)).toMatchObject({ ...kept, operations, misses });

      // A record that nobody can read: clean-up removes it whatever the time is.
      const record = goldenKeys.limit(tenant.id, named('none'));
      await app.redis.send(['SET', record, 'x'], { kind: 'write' });
      await gate.write('m', text);
      await runScript(app.redis, removeExpiredRecords, {
        keys: { gate: goldenKeys.gate(tenant.id), index: goldenKeys.keptIndex(tenant.id), records: [record] },
        args: { expiries: [1] },
        kind: 'write',
      });
      const charge = record.length + 'x'.length + RECORD_OVERHEAD_BYTES;
      expect(await taken()).toMatchObject({ ...kept, operations, misses, memoryBytes: memoryBytes - charge });
    },
  );

  it('hides what was invalidated, and counts none of it [C8]', async () => {
    const { caller, tenant } = await newTenant(app);
    const names = ['n.1/old', 'n2/fenced', 'o/tagged', 'o/other', 'n.1/late'].map((path) => {
      const [namespace = '', key = ''] = path.split('/');
      return { namespace, key };
    });
    for (const name of names) {
      const tags = name.key === 'tagged' ? { tags: ['c'] } : {};
      await app.cache.set(caller, name, { value: Buffer.from('v'), meta: { content_type: 'text/plain', ...tags } });
    }
    const { gate, invalidated, all } = golden.invalidations;
    const written = (field: string, ...more: readonly string[]) =>
      app.redis.send(['HSET', goldenKeys.gate(tenant.id), field, ...more], { kind: 'write' });
    for (const [field, value] of Object.entries(gate)) await written(field, value);
    const waiting = Object.entries(invalidated).flatMap(([field, seq]) => [seq, field]);
    await app.redis.send(['ZADD', goldenKeys.invalidated(tenant.id), ...waiting], { kind: 'write' });
    const seen = async () =>
      (await Promise.all(names.map((name) => app.cache.get(caller, name)))).map((entry) => entry !== null);
    expect(await seen()).toEqual([false, true, false, true, true]);
    await written('v', all);
    expect(await seen()).toEqual([false, false, false, false, false]);
    const count = await app.invalidation.invalidate(caller, { selector: { by: 'all' }, dry: true });
    expect(count).toMatchObject({ data: { would_invalidate: 0, exact: true } });
    expect(await auditTenant(app, tenant.id)).toBe(0);
  });

  it('replays the idempotent call', async () => {
    const { result, ...call } = golden.idempotentCall;
    const again = { ...call, operationId: newUlid(Date.now()), leaseMs: 1 };
    const replayed = await app.idempotency.run(again, () => Promise.reject(new Error('it ran again')));
    const headers = { ...result.headers, 'idempotency-status': 'replayed' };
    expect(replayed).toEqual({ ...result, headers });
    const other = app.idempotency.run({ ...again, body: '{}' }, () => Promise.reject(new Error('it ran')));
    await expect(other).rejects.toMatchObject({ code: 'idempotency_key_reused' });
  });

  it('counts a limit on from where it stood', async () => {
    const { caller, tenant } = await newTenant(app);
    for (const { algorithm, limit, window_ms, used, stored } of golden.limits) {
      const name = { namespace: 'logins', key: algorithm };
      await app.redis.send(['SET', goldenKeys.limit(tenant.id, name), stored], { kind: 'write' });
      const how = { name: 'logins', identifier: algorithm, limit, windowMs: window_ms, algorithm };
      const verdicts = [
        await app.rateLimiter.check(caller, { ...how, cost: 0 }),
        await app.rateLimiter.check(caller, how),
      ];
      expect(verdicts.map(({ remaining }) => remaining)).toEqual([limit - used, limit - used - 1]);
      const replayed = await app.rateLimiter.check(caller, { ...how, cost: used }, { operationId: 'op-2' });
      expect(replayed.allowed).toBe(false);
    }
  });

  it('replays the idempotent call of a tenant, byte for byte', async () => {
    const { caller, tenant } = await newTenant(app);
    const { stored, name, bytes_base64, route_name, ...call } = golden.tenantCall;
    const [namespace = '', key = ''] = name.split(':');
    await app.redis.send(['SET', goldenKeys.tenantCall(tenant.id, { namespace, key }), stored], { kind: 'write' });
    const again = {
      ...call,
      tenant: { caller: { ...caller, route: route_name }, scope: 'none' },
      operationId: newUlid(Date.now()),
      leaseMs: 1,
    };
    const replayed = await app.idempotency.run(again, () => Promise.reject(new Error('it ran again')));
    expect(replayed.bytes).toEqual(Buffer.from(bytes_base64, 'base64'));
  });

  it('revokes its key, replaces and removes its entries to the last byte', async () => {
    const [first, ...others] = golden.entries;
    const value = { value: Buffer.from('new'), meta: { content_type: 'text/plain' }, ttlMs: 60_000 };
    expect(await app.cache.set(caller, named(first?.key ?? ''), value)).toMatchObject({ created: false });
    for (const { key } of others) expect(await app.cache.delete(caller, named(key))).toBe(true);
    expect(await auditTenant(app, tenant.id)).toBe(1);
    await app.apiKeys.revoke(tenant.id, golden.apiKey.split('_')[2] ?? '');
    await expect(app.account.identify(caller)).rejects.toMatchObject({ code: 'key_revoked' });
    expect(await app.redis.send(['HLEN', goldenKeys.apiKeys(tenant.id)], { kind: 'read' })).toBe(2);
  });
});
