/** What a tenant's choices and the deployment's settings make of a namespace. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settingsFor } from '../../lib/cache/namespace-settings.ts';
import type { CacheConfig } from '../../lib/config/config.ts';
import type { CacheChoices } from '../../lib/gate/cache-choices.ts';
import { EMPTY_CONTEXT, packContext, unpackContextData } from '../../lib/gate/context-format.ts';
import { choicesOf } from '../../lib/tenants/cache-choices.ts';
import { CacheSettingsRequest } from '../../lib/tenants/cache-contract.ts';

const DEPLOYMENT: Pick<CacheConfig, 'enableCompression' | 'compressionAlgorithm' | 'defaultTtlMs' | 'evictionPolicy'> =
  {
    enableCompression: true,
    compressionAlgorithm: 'lz4',
    defaultTtlMs: 86_400_000,
    evictionPolicy: 'lru',
  };
const BY_DEFAULT = { compression: 'lz4', maxStaleMs: 0, defaultTtlMs: 86_400_000, graceMs: 0, eviction: 'lru' };
const of = (cache: CacheChoices, namespace: string, changes: Partial<typeof DEPLOYMENT> = {}) =>
  settingsFor({ cache }, { ...DEPLOYMENT, ...changes }, namespace);

describe('settings of a namespace [C2 C5 C9 C13]', () => {
  it('are those of the deployment where the tenant chose nothing', () => {
    expect(of({}, 'ns')).toEqual(BY_DEFAULT);
    expect(of({ namespaces: { other: { compression: 'zstd' } } }, 'ns')).toEqual(BY_DEFAULT);
    expect(of({}, 'ns', { enableCompression: false })).toEqual({ ...BY_DEFAULT, compression: 'none' });
  });

  it('are what the tenant chose, and the rest as of the deployment', () => {
    const namespaces = { ns: { compression: 'zstd', max_stale_ms: 500, default_ttl_seconds: 5 } } as const;
    const chosen = { compression: 'zstd', maxStaleMs: 500, defaultTtlMs: 5_000, graceMs: 0, eviction: 'none' };
    expect(of({ eviction: 'none', namespaces }, 'ns')).toEqual(chosen);
    expect(of({ eviction: 'none', namespaces }, 'ns2')).toEqual({ ...BY_DEFAULT, eviction: 'none' });
    expect(of({ namespaces: { ns: { default_ttl_seconds: null, grace_seconds: 60 } } }, 'ns')).toEqual({
      ...BY_DEFAULT,
      defaultTtlMs: null,
      graceMs: 60_000,
    });
  });

  it('pack nothing where the deployment packs nothing', () => {
    const namespaces = { ns: { compression: 'zstd' } } as const;
    expect(of({ namespaces }, 'ns', { enableCompression: false }).compression).toBe('none');
    expect(of({ namespaces }, 'ns', { compressionAlgorithm: 'none' }).compression).toBe('zstd');
  });

  it.each(['constructor', 'toString', 'valueOf'])('of a namespace called %s are its own, or none', (name) => {
    expect(of({ namespaces: { ns: { grace_seconds: 1 } } }, name)).toEqual(BY_DEFAULT);
    const choices = choicesOf(CacheSettingsRequest.parse(JSON.parse(`{"namespaces":{"${name}":{"grace_seconds":2}}}`)));
    const { cache } = unpackContextData(packContext({ ...EMPTY_CONTEXT, cache: choices }));
    expect(of(cache, name)).toEqual({ ...BY_DEFAULT, graceMs: 2_000 });
  });
});

describe('what a tenant chooses [A1 A4]', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,8}$/);
  const wanted = fc.record(
    {
      compression: fc.constantFrom('lz4', 'zstd', 'none'),
      max_stale_ms: fc.nat(60_000),
      default_ttl_seconds: fc.oneof(fc.integer({ min: 1, max: 315_360_000 }), fc.constant('never')),
      grace_seconds: fc.nat(31_536_000),
    },
    { requiredKeys: [] },
  );
  const request = fc.record(
    { eviction_policy: fc.constantFrom('lru', 'none'), namespaces: fc.dictionary(name, wanted, { maxKeys: 5 }) },
    { requiredKeys: [] },
  );

  it('is taken as it is, and reaches an instance by way of the context', () => {
    fc.assert(
      fc.property(request, name, (asked, other) => {
        const parsed = CacheSettingsRequest.parse(asked);
        expect(parsed).toEqual(asked);
        const { cache } = unpackContextData(packContext({ ...EMPTY_CONTEXT, cache: choicesOf(parsed) }));
        const eviction = asked.eviction_policy ?? 'lru';
        for (const [namespace, own] of Object.entries(asked.namespaces ?? {})) {
          const ttl = own.default_ttl_seconds;
          expect(of(cache, namespace)).toEqual({
            compression: own.compression ?? 'lz4',
            maxStaleMs: own.max_stale_ms ?? 0,
            defaultTtlMs: ttl === 'never' ? null : ((ttl as number | undefined) ?? 86_400) * 1_000,
            graceMs: (own.grace_seconds ?? 0) * 1_000,
            eviction,
          });
        }
        if (!Object.hasOwn(asked.namespaces ?? {}, other))
          expect(of(cache, other)).toEqual({ ...BY_DEFAULT, eviction });
      }),
    );
  });

  it('is nothing where nothing is said', () => {
    for (const said of [undefined, {}, { namespaces: {} }, { namespaces: { ns: {} } }])
      expect(choicesOf(said)).toEqual({});
  });

  it.each([
    { eviction_policy: 'fifo' },
    { evictionPolicy: 'lru' },
    { namespaces: { '': {} } },
    { namespaces: { 'a:b': {} } },
    { namespaces: { ns: { compression: 'gzip' } } },
    { namespaces: { ns: { max_stale_ms: 60_001 } } },
    { namespaces: { ns: { max_stale_ms: -1 } } },
    { namespaces: { ns: { default_ttl_seconds: 0 } } },
    { namespaces: { ns: { default_ttl_seconds: 315_360_001 } } },
    { namespaces: { ns: { default_ttl_seconds: null } } },
    { namespaces: { ns: { default_ttl_seconds: '5' } } },
    { namespaces: { ns: { grace_seconds: 31_536_001 } } },
    { namespaces: { ns: { ttl: 5 } } },
    { namespaces: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`n${i}`, {}])) },
  ])('%j is refused', (asked) => {
    expect(CacheSettingsRequest.safeParse(asked).success).toBe(false);
  });
});
