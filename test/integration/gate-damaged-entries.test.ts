/** An entry damaged where it is stored: a miss, made known, removed, its bytes given back. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { auditTenant } from '../support/audit-tenant.ts';
import { gateState } from '../support/gate-state.ts';
import { keysOf } from '../support/tenant-state.ts';

const meta = { content_type: 'text/plain', tags: ['a'] };
const [damaged, whole] = [
  { namespace: 'ns', key: 'damaged' },
  { namespace: 'ns', key: 'whole' },
];
const text = (value: string) => ({ value: Buffer.from(value), meta, ttlMs: null });

/** Bytes of an entry by where they are: the number of the head's field, a position in metadata, or from the end. */
const PLACES = {
  'the format': (stored: string) => stored.indexOf('c2'),
  'the check': (stored: string) => fieldAt(stored, 1),
  'the expiry': (stored: string) => fieldAt(stored, 3) + 13,
  'the end of freshness': (stored: string) => fieldAt(stored, 4) + 13,
  'the raw length': (stored: string) => fieldAt(stored, 5),
  'the seq': (stored: string) => fieldAt(stored, 6),
  'the charge': (stored: string) => fieldAt(stored, 7) + 7,
  'the time': (stored: string) => fieldAt(stored, 8),
  'the length of the metadata': (stored: string) => fieldAt(stored, 9),
  'the object in S3': (stored: string) => fieldAt(stored, 11),
  'the digest': (stored: string) => fieldAt(stored, 12) + 5,
  'the operation': (stored: string) => fieldAt(stored, 13) + 5,
  'the codec': (stored: string) => fieldAt(stored, 14),
  'the end of the head': (stored: string) => stored.indexOf('\n'),
  'the metadata': (stored: string) => stored.indexOf('\n') + 5,
  'the payload': (stored: string) => stored.length - 3,
} as const;

function fieldAt(stored: string, field: number): number {
  return stored.split(',', field).join(',').length + 1;
}

const corruptCount = () => JSON.stringify(telemetry.metrics.serializeMetrics()).includes('riptide_cache_corrupt_total');

describe.each(TRANSPORTS)('a damaged entry over %s [C1 C3]', (transport) => {
  let app: App;
  beforeAll(async () => {
    telemetry.logger.setLogLevel('SILENT');
    app = await testApp({ transport });
  });

  /** A tenant with a whole entry and one of which one bit is another. */
  const withDamage = async (place: (stored: string) => number, bit: number) => {
    const { caller, tenant } = await newTenant(app);
    await app.cache.set(caller, whole, text('whole'));
    await app.cache.set(caller, damaged, text('a value that will be damaged'));
    const key = keysOf(app).cacheEntry(tenant.id, 1, damaged);
    const at = place((await app.redis.send(['GET', key], { kind: 'read' })) as string);
    await app.redis.send(['SETBIT', key, at * 8 + bit, await flipped(key, at * 8 + bit)], { kind: 'write' });
    return { caller, tenant };
  };
  const flipped = async (key: string, bit: number) =>
    1 - Number(await app.redis.send(['GETBIT', key, bit], { kind: 'read' }));

  const cases = Object.entries(PLACES)
    .flatMap(([name, place]) => [0, 1, 7].map((bit) => ({ name, place, bit })))
    // Bit 7 makes `never` a moment of 1970: told apart below.
    .filter(({ name, bit }) => !(['the expiry', 'the end of freshness'].includes(name) && bit === 7));

  it.each(cases)('is a miss, counted, removed, and its bytes given back: bit $bit of $name', async ({ place, bit }) => {
    const { caller, tenant } = await withDamage(place, bit);
    telemetry.metrics.clearMetrics();
    const found = await app.cache.get(caller, damaged);
    expect(found).toBeNull();
    expect(corruptCount()).toBe(true);
    expect(await app.cache.head(caller, damaged)).toBeNull();
    expect(await auditTenant(app, tenant.id)).toBe(1);
    expect(await app.cache.get(caller, whole)).toMatchObject({ value: Buffer.from('whole') });
  });

  it('is an expired one when its expiry was damaged into the past: a miss, and its bytes given back', async () => {
    const { caller, tenant } = await withDamage(PLACES['the expiry'], 7);
    expect(await app.cache.get(caller, damaged)).toBeNull();
    expect(await auditTenant(app, tenant.id)).toBe(1);
  });

  it('is a stale one when its freshness was damaged into the past: a miss, and removed for who takes stale ones', async () => {
    const { caller, tenant } = await withDamage(PLACES['the end of freshness'], 7);
    expect(await app.cache.get(caller, damaged)).toBeNull();
    expect(await app.cache.get(caller, damaged, { stale: true })).toBeNull();
    expect(await auditTenant(app, tenant.id)).toBe(1);
  });

  it('is a miss to who asks for its head, and to who has its digest', async () => {
    const first = await withDamage(PLACES['the metadata'], 6);
    expect(await app.cache.head(first.caller, damaged)).toBeNull();
    expect(await auditTenant(app, first.tenant.id)).toBe(1);
    const second = await withDamage(PLACES['the metadata'], 6);
    expect(await app.cache.get(second.caller, damaged, { ifNoneMatch: '*' })).toBeNull();
    expect(await auditTenant(app, second.tenant.id)).toBe(1);
  });

  it('stays when a good one took its place meanwhile', async () => {
    const { caller, tenant } = await newTenant(app);
    let racing = true;
    const slow = await testApp({
      transport,
      failpoint: async ({ name, phase }) => {
        if (name !== 'delete-cache-entry' || phase !== 'before' || !racing) return;
        racing = false;
        await app.cache.set(caller, damaged, text('new'));
      },
    });
    await app.cache.set(caller, damaged, text('old'));
    const key = keysOf(app).cacheEntry(tenant.id, 1, damaged);
    const length = Number(await app.redis.send(['STRLEN', key], { kind: 'read' }));
    await app.redis.send(['SETRANGE', key, length - 1, '~'], { kind: 'write' });
    expect(await slow.cache.get(caller, damaged)).toBeNull();
    expect(racing).toBe(false);
    expect(await app.cache.get(caller, damaged)).toMatchObject({ value: Buffer.from('new') });
    expect((await gateState(app, tenant.id).meter()).entries).toBe(1n);
  });
});
