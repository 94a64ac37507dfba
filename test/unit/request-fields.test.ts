import { describe, expect, it } from 'vitest';
import { InvalidRequestError } from '../../lib/errors.ts';
import { Instant } from '../../lib/http/fields.ts';
import { Settings } from '../../lib/tenants/contract.ts';
import { requireToCome } from '../../lib/tenants/key-end.ts';

const NOW = Date.parse('2026-11-21T08:00:00Z');

describe('a time in a request [A14]', () => {
  it('is refused with one message, which says how it is written', () => {
    for (const wrong of ['tomorrow', '2026-11-21', '2026-11-21T08:00:00+01:00'])
      expect(Instant.safeParse(wrong).error?.issues.map(({ message }) => message)).toEqual([
        'must be a time in UTC, as 2026-11-21T08:00:00Z',
      ]);
    expect(Instant.safeParse('1970-01-01T00:00:00Z').error?.issues).toHaveLength(1);
  });
});

describe('a setting of a tenant [T1]', () => {
  it('is refused with a word for what it may be', () => {
    const messagesOf = (a: unknown) => Settings.safeParse({ a }).error?.issues.map(({ message }) => message);
    for (const wrong of [{}, [], null])
      expect(messagesOf(wrong)).toEqual(['must be text of up to 1,000 characters, a number, true or false']);
    for (const fits of ['x', 1.5, false]) expect(messagesOf(fits)).toBeUndefined();
  });
});

describe('the end of an API key [T2]', () => {
  it('is to come, or there is none', () => {
    for (const end of [null, undefined, '2026-11-21T08:00:00.001Z']) expect(requireToCome(end, NOW)).toBeUndefined();
    for (const end of ['2026-11-21T08:00:00Z', '2020-01-01T00:00:00Z'])
      expect(() => requireToCome(end, NOW)).toThrow(InvalidRequestError);
  });
});
