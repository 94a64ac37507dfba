import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KEY_ID, newKeyId, newTenantId, newUlid, parseTenantId } from '../../lib/ids.ts';

describe('ids [T1]', () => {
  it('sort by the time they were made', () => {
    const time = fc.nat(2 ** 47);
    fc.assert(
      fc.property(time, time, (a, b) => {
        const [first, second] = [newUlid(Math.min(a, b)), newUlid(Math.max(a, b) + 1)];
        expect(first < second).toBe(true);
      }),
    );
  });

  it('are lower-case ULIDs: the time as everybody writes it', () => {
    expect(newUlid(1_469_918_176_385)).toMatch(/^01aryz6s41[0-9a-hjkmnp-tv-z]{16}$/);
    expect(newUlid(0)).toMatch(/^0{10}/);
  });

  it('are never the same twice, also within a millisecond', () => {
    expect(new Set(Array.from({ length: 10_000 }, () => newUlid(1))).size).toBe(10_000);
  });

  it('say their kind, and are known again', () => {
    const ulid = newUlid(Date.now());
    expect(parseTenantId(newTenantId(ulid))).toBe(`tenant-${ulid}`);
    expect(newKeyId(ulid)).toMatch(KEY_ID);
  });

  it.each([
    '',
    'tenant-',
    'TENANT-01arz3ndektsv4rrffq69g5fav',
    'tenant-01ARZ3NDEKTSV4RRFFQ69G5FAV',
    'tenant-01arz3ndektsv4rrffq69g5fa',
    'tenant-01arz3ndektsv4rrffq69g5favx',
    'tenant-81arz3ndektsv4rrffq69g5fav',
    'tenant-01arz3ndektsv4rrffq69g5fai',
    'tenant-01arz3ndektsv4rrffq69g5fav\n',
    'key-01arz3ndektsv4rrffq69g5fav',
    'tenant-01arz3ndektsv4rrffq69g5f}a',
  ])('%j is no tenant id', (text) => {
    expect(parseTenantId(text)).toBeNull();
  });
});
