import { describe, expect, it } from 'vitest';
import { putEntryContract } from '../../lib/cache/put-contract.ts';

const read = (ttl: string) => putEntryContract.query.safeParse({ ttl_seconds: ttl });
const messages = (ttl: string) => read(ttl).error?.issues.map(({ message }) => message);

describe('the lifetime a caller asks for [C2]', () => {
  it('is seconds or never', () => {
    expect(read('60').data).toEqual({ ttl_seconds: 60_000 });
    expect(read('never').data).toEqual({ ttl_seconds: null });
  });

  it.each(['abc', '0', '-1', '1.5', '', 'NEVER', '315360001', '9999999999999'])(
    'is told what it may be, when it is %j',
    (ttl) => {
      expect(messages(ttl)).toEqual(['must be whole seconds from 1 to 315360000, or never']);
    },
  );
});
