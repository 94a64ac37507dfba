/** Every setting says whether running instances take it; and those that must not be set at run time are not. */
import { describe, expect, it } from 'vitest';
import { withoutDescriptions } from '../../infra/build/esbuild-plugins.ts';
import { SETTINGS } from '../../lib/config/schema.ts';
import { newTenantId, newUlid } from '../../lib/ids.ts';
import { isVersioned } from '../../lib/runtime-config/settings.ts';
import { isChosen } from '../../lib/runtime-config/tenant-share.ts';

describe('the marks of settings [K6]', () => {
  it.each(SETTINGS)('$path says whether running instances take it', ({ hot, fixed, secret }) => {
    expect(hot).toBeTypeOf('boolean');
    if (fixed === true) expect(hot).toBe(false);
    if (secret !== undefined) expect(fixed).toBe(true);
  });

  it('keep secrets, and what finds Redis and S3, from being set at run time', () => {
    const open = SETTINGS.filter(({ path }) => isVersioned(path)).map(({ path }) => path);
    expect(
      open.filter((path) => /secret|token|password|_key|key_|(?<!webhook)_url|endpoint|^redis\.|bucket/.test(path)),
    ).toEqual(['encryption.data_key_max_age_seconds', 'encryption.data_key_stale_seconds']);
    expect(isVersioned('cache.of_another_version')).toBe(false);
  });
});

describe('the tenants that try a configuration [K6]', () => {
  const tenants = Array.from({ length: 5_000 }, () => newTenantId(newUlid(Date.now())));
  const chosen = (share: number) => tenants.filter((id) => isChosen(id, share));

  it('are as many as the share says, and a larger share has all of a smaller', () => {
    for (const share of [0.05, 0.3, 0.8]) expect(Math.abs(chosen(share).length / 5_000 - share)).toBeLessThan(0.03);
    expect(chosen(0.8)).toEqual(expect.arrayContaining(chosen(0.3)));
    expect([chosen(0).length, chosen(1).length]).toEqual([0, 5_000]);
  });
});

describe('what a bundle leaves out', () => {
  it('is what the documentation alone says', () => {
    const text = "a: { type: t(), about: 'What it’s', hot: true }, b: z.int().describe('It is.'), summary: 'So',";
    expect(withoutDescriptions(text)).toBe("a: { type: t(),  hot: true }, b: z.int(), summary: '',");
    expect(withoutDescriptions(".describe(\n  'One ' +\n    'two',\n)")).toBe('');
    expect(withoutDescriptions('.describe(`of n`)')).toBe('.describe(`of n`)');
  });
});
