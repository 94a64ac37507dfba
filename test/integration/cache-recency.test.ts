/** When an entry was asked for last is kept to the minute, while memory is half used or more. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import type { TenantId } from '../../lib/ids.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { auditTenant } from '../support/audit-tenant.ts';
import { redisTimeMs } from '../support/redis-time.ts';
import { setAccess } from '../support/set-access.ts';
import { keysOf } from '../support/tenant-state.ts';

const name = { namespace: 'ns', key: 'k' };
const entry = { value: Buffer.alloc(2_000), meta: { content_type: 'text/plain', tags: ['a', 'b'] }, ttlMs: 3_600_000 };
const env = { PERSISTENCE_CACHE_ENABLE_COMPRESSION: 'false', PERSISTENCE_CACHE_LOCAL_MAX_BYTES: '0' };

describe.each(TRANSPORTS)('recency over %s [C13]', (transport) => {
  let app: App;
  beforeAll(async () => {
    app = await testApp({ transport, env });
  });
  const accessOf = async (id: TenantId) => {
    const text = await app.redis.send(['GETRANGE', keysOf(app).cacheEntry(id, 1, name), 12, 19], { kind: 'read' });
    return Number(text);
  };
  const thisMinute = async () => Math.floor((await redisTimeMs(app)) / 60_000);
  const stored = async (memory: number) => {
    const { tenant, caller } = await newTenant(app, {
      quotas: { operations_per_minute: 100_000, memory_bytes: memory },
    });
    await app.cache.set(caller, name, entry);
    await setAccess(app, tenant.id, name, -7);
    return { id: tenant.id, caller };
  };

  it.each([
    ['a read', (caller: Caller) => app.cache.get(caller, name)],
    ['a look at its head', (caller: Caller) => app.cache.head(caller, name)],
    ['a read of somebody who has it', (caller: Caller) => app.cache.get(caller, name, { ifNoneMatch: '*' })],
  ])('moves with %s once half of the memory is used', async (_what, read) => {
    const { id, caller } = await stored(4_500);
    const from = await thisMinute();
    expect(await accessOf(id)).toBeLessThan(from - 5);
    expect(await read(caller)).not.toBe(null);
    expect(await accessOf(id)).toBeGreaterThanOrEqual(from);
    expect(await auditTenant(app, id)).toBe(1);
    expect(await app.cache.get(caller, name)).toMatchObject({ value: entry.value, meta: entry.meta });
  });

  it('stays while less is used: a read then writes nothing but its metering', async () => {
    const { id, caller } = await stored(100_000);
    const before = await accessOf(id);
    await app.cache.get(caller, name);
    expect(await accessOf(id)).toBe(before);
  });
});
