/** A load never takes the place of what was written after it began: also once that has gone again, however it went. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { createReclaim } from '../../lib/cache/invalidation/reclaim.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { auditCache } from '../support/cache-audit.ts';
import { passMs } from '../support/redis-time.ts';
import { keysOf } from '../support/tenant-state.ts';

const name = { namespace: 'ns', key: 'k' };
const meta = { content_type: 'text/plain', tags: ['t'] };
const bytes = (text: string) => Buffer.from(text);

describe.each(TRANSPORTS)('a load that began before a write, over %s [C7 C2 C8]', (transport) => {
  let app: App;
  beforeAll(async () => {
    app = await testApp({ transport });
  });

  const write = (caller: Caller, ttlMs: number | null) =>
    app.cache.set(caller, name, { value: bytes('newer'), meta, ttlMs, graceMs: 0 });
  /** Written so that it has expired already. */
  const expired = async (caller: Caller) => {
    await write(caller, 1);
    await passMs(app);
  };

  const WAYS: readonly (readonly [string, (caller: Caller) => Promise<unknown>])[] = [
    ['has expired, and stands there still', expired],
    ['has expired, and was met by a read', inTurn(expired, (caller) => app.cache.get(caller, name))],
    [
      'has expired, and was met by who asked for the lease',
      inTurn(expired, (caller) => app.cache.getOrLease(caller, name, { leaseMs: 0, earlyShare: 0 })),
    ],
    ['has expired, and was cleaned away', inTurn(expired, () => app.cleanUp.run())],
    ['was evicted', evict],
    [
      'was invalidated by a tag that is not on what is loaded, and reclaimed',
      async (caller) => {
        await write(caller, null);
        await app.invalidation.invalidate(caller, { selector: { by: 'tags', tags: ['t'] }, dry: false });
        const place = { id: caller.tenantId, generation: 1 };
        await createReclaim({ redis: app.redis, keys: keysOf(app) }).run(place);
      },
    ],
  ];

  function inTurn(first: (caller: Caller) => Promise<unknown>, then: (caller: Caller) => Promise<unknown>) {
    return async (caller: Caller) => {
      await first(caller);
      await then(caller);
    };
  }

  /** Others need the room. */
  async function evict(caller: Caller): Promise<void> {
    await write(caller, null);
    for (let i = 0; (await app.cache.head(caller, name)) !== null && i < 100; i++) {
      const value = Buffer.alloc(1_000, i);
      await app.cache.set(caller, { ...name, key: `other ${i}` }, { value, meta, ttlMs: null });
    }
  }

  it.each(WAYS)('that %s: is not stored', async (_way, newer) => {
    const { tenant, caller } = await newTenant(app, { quotas: { memory_bytes: 20_000 } });
    const load = async () => {
      await newer(caller);
      return { value: bytes('older'), meta: { content_type: 'text/plain' } };
    };
    expect(await app.cache.getOrSet(caller, name, load)).toMatchObject({
      value: bytes('older'),
      notStored: 'lease_lost',
    });
    expect(await app.cache.get(caller, name)).toBeNull();
    await auditCache(app, tenant.id);
  });

  it('keeps its lease when what has gone was there before it', async () => {
    const { tenant, caller } = await newTenant(app);
    await app.cache.set(caller, name, { value: bytes('stale'), meta, ttlMs: 1, graceMs: 500 });
    await passMs(app);
    const load = async () => {
      await expect.poll(() => app.cache.get(caller, name, { stale: true }), { timeout: 5_000 }).toBeNull();
      return { value: bytes('fresh'), meta };
    };
    expect(await app.cache.getOrSet(caller, name, load)).toMatchObject({ value: bytes('fresh'), notStored: null });
    expect(await auditCache(app, tenant.id)).toBe(1);
  });
});
