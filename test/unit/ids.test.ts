import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  KEY_ID,
  newKeyId,
  newSessionId,
  newTenantId,
  newUlid,
  parseSessionId,
  parseTenantId,
  ulidTimeMs,
} from '../../lib/ids.ts';

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

const LETTERS = '0123456789abcdefghjkmnpqrstvwxyz';

describe('ids of sessions [S1]', () => {
  it('say when they were made, and have a secret behind', () => {
    const parts = parseSessionId(newSessionId(1_469_918_176_385));
    expect(ulidTimeMs(parts?.ulid ?? '')).toBe(1_469_918_176_385);
    expect(parts?.secret).toMatch(/^[0-9a-hjkmnp-tv-z]{26}$/);
  });

  it('come apart as they were put together', () => {
    const letters = (length: number) =>
      fc.array(fc.constantFrom(...LETTERS), { minLength: length, maxLength: length }).map((all) => all.join(''));
    fc.assert(
      fc.property(fc.nat(2 ** 47), letters(16), letters(26), (ms, random, secret) => {
        const ulid = newUlid(ms).slice(0, 10) + random;
        expect(parseSessionId(`session-${ulid}-${secret}`)).toEqual({ ulid, secret });
      }),
    );
  });

  it('have secrets that are never the same, with every letter at every place', () => {
    const secrets = Array.from({ length: 5_000 }, () => parseSessionId(newSessionId(1))?.secret ?? '');
    expect(new Set(secrets).size).toBe(5_000);
    for (let place = 0; place < 26; place++) {
      expect([...new Set(secrets.map((secret) => secret[place]))].sort().join('')).toBe(LETTERS);
    }
  });

  const ULID = '01arz3ndektsv4rrffq69g5fav';
  const SECRET = '0123456789abcdefghjkmnpqrs';
  it.each([
    '',
    'session-',
    ULID,
    `session-${ULID}`,
    `session-${ULID}-`,
    `session-${ULID}${SECRET}`,
    `session-${ULID}-${SECRET.slice(1)}`,
    `session-${ULID}-${SECRET}0`,
    `session-${ULID}-${SECRET}\n`,
    `\nsession-${ULID}-${SECRET}`,
    ` session-${ULID}-${SECRET}`,
    `session-${ULID}-${SECRET.toUpperCase()}`,
    `session-${ULID.toUpperCase()}-${SECRET}`,
    `SESSION-${ULID}-${SECRET}`,
    `tenant-${ULID}-${SECRET}`,
    `session-8${ULID.slice(1)}-${SECRET}`,
    `session-${ULID}-${SECRET.slice(1)}u`,
    `session-${ULID}-${SECRET.slice(1)}*`,
    `session-${ULID}-${SECRET.slice(2)}\ud83d\ude00`,
    `session-${ULID}_${SECRET}`,
  ])('%j is none', (text) => {
    expect(parseSessionId(text)).toBeNull();
  });
});
