import { describe, expect, it } from 'vitest';
import { readGiven } from '../../lib/runtime-config/given-settings.ts';

describe('settings that a request names [K6]', () => {
  it('may be named by group, or by their whole name, once', () => {
    const path = 'cache.default_ttl_seconds';
    const [grouped, whole] = [{ cache: { default_ttl_seconds: 6 } }, { [path]: 5 }];
    expect(readGiven(grouped)).toEqual({ values: new Map([[path, '6']]), issues: [] });
    expect(readGiven(whole)).toEqual({ values: new Map([[path, '5']]), issues: [] });
    expect(readGiven({ ...whole, ...grouped }).issues).toEqual([{ field: path, message: 'is named twice' }]);
  });

  it('are refused with the first 100 problems, however many there are', () => {
    const names = Array.from({ length: 20_000 }, (_, index) => [`k${index}`, 1] as const);
    expect(readGiven(Object.fromEntries(names)).issues).toHaveLength(100);
    expect(readGiven({ cache: Object.fromEntries(names) }).issues).toHaveLength(100);
  });
});
