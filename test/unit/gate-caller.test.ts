import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashApiKey, parseApiKey } from '../../lib/gate/caller.ts';

const ULID = '01arz3ndektsv4rrffq69g5fav';
const SECRET = 'a'.repeat(42);
const key = `rt_tenant-${ULID}_key-${ULID}_${SECRET}Z`;

describe('an API key [T2]', () => {
  it('tells its tenant without a lookup, and is known by its SHA-256', () => {
    const keyHash = createHash('sha256').update(key).digest('hex');
    expect(parseApiKey(key)).toEqual({ tenantId: `tenant-${ULID}`, keyId: `key-${ULID}`, keyHash });
  });

  it.each([
    '',
    'rt',
    key.slice(1),
    key.slice(0, -1),
    `${key}x`,
    `${key}_x`,
    ` ${key}`,
    `${key}\n`,
    key.replace('rt_', 'RT_'),
    key.replace('tenant-', 'session-'),
    key.replace('_key-', '_tenant-'),
    key.replace(`${SECRET}Z`, `${SECRET}-`),
    key.replace(`tenant-${ULID}`, 'tenant-{x}'),
    key.replace(`tenant-${ULID}`, '*'),
  ])('%j is none', (text) => {
    expect(() => parseApiKey(text)).toThrow(expect.objectContaining({ status: 401, code: 'key_unknown' }));
  });

  it('is refused as unknown, whatever text it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(() => parseApiKey(`rt_${text}`)).toThrow(expect.objectContaining({ code: 'key_unknown' }));
      }),
    );
  });

  it('has the same hash however often it is asked for, and after many others', () => {
    const hash = hashApiKey(key);
    for (let i = 0; i < 2_500; i++) hashApiKey(`${i}`);
    expect(hashApiKey(key)).toBe(hash);
    expect(hashApiKey(key)).toBe(hash);
  });
});
