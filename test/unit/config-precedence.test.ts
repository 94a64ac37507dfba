import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../lib/config/load-config.ts';

const ADMIN = { PERSISTENCE_ADMIN_KEY_SHA256: '0'.repeat(64) };
const load = async (env: Record<string, string>, file = '') => {
  const named: Record<string, string> = file === '' ? {} : { RIPTIDE_CONFIG: '/etc/persistence.yml' };
  return (await loadConfig({ env: { ...ADMIN, ...named, ...env }, readFile: () => file })).config;
};
const TTL_FILE = 'persistence: { cache: { default_ttl_seconds: 3 } }';

describe('the later source wins [G6]', () => {
  it('default, then profile, then file, then alias, then the setting’s own variable', async () => {
    const layers = [
      await load({}),
      await load({ RIPTIDE_PROFILE: 'production' }),
      await load({ RIPTIDE_PROFILE: 'production' }, TTL_FILE),
      await load({ RIPTIDE_PROFILE: 'production', CACHE_DEFAULT_TTL_SECONDS: '4' }, TTL_FILE),
      await load({ CACHE_DEFAULT_TTL_SECONDS: '4', PERSISTENCE_CACHE_DEFAULT_TTL_SECONDS: '5' }, TTL_FILE),
    ];
    expect(layers.map(({ cache }) => cache.defaultTtlMs)).toEqual([86_400_000, 3_600_000, 3000, 4000, 5000]);
  });

  it('takes PERSISTENCE_ENABLE_COMPRESSION over ENABLE_COMPRESSION, and the full name over both', async () => {
    const both = { ENABLE_COMPRESSION: 'true', PERSISTENCE_ENABLE_COMPRESSION: 'false' };
    expect((await load(both)).cache.enableCompression).toBe(false);
    expect((await load({ ...both, PERSISTENCE_CACHE_ENABLE_COMPRESSION: 'true' })).cache.enableCompression).toBe(true);
  });

  it('takes PERSISTENCE_MULTI_TENANCY over ENABLE_MULTI_TENANCY', async () => {
    const both = { ENABLE_MULTI_TENANCY: 'true', PERSISTENCE_MULTI_TENANCY: 'false' };
    expect((await load(both)).tenant.enabled).toBe(false);
  });

  it('counts an empty variable as not set', async () => {
    const config = await load({
      PERSISTENCE_CACHE_DEFAULT_TTL_SECONDS: '',
      REDIS_URL: ' ',
      RIPTIDE_PROFILE: '',
      RIPTIDE_CONFIG: '',
    });
    expect(config.cache.defaultTtlMs).toBe(86_400_000);
    expect(config.redis.url).toBe('redis://localhost:6379');
  });
});

describe('aliases [G1 G6]', () => {
  it.each([
    ['CACHE_DEFAULT_TTL_SECONDS', '7', (c) => c.cache.defaultTtlMs, 7000],
    ['ENABLE_COMPRESSION', 'false', (c) => c.cache.enableCompression, false],
    ['ENABLE_MULTI_TENANCY', 'false', (c) => c.tenant.enabled, false],
    ['PERSISTENCE_REDIS_POOL_SIZE', '4', (c) => c.redis.poolSize, 4],
    ['PERSISTENCE_ENABLE_COMPRESSION', 'false', (c) => c.cache.enableCompression, false],
    ['PERSISTENCE_ENABLE_WARMING', 'false', (c) => c.cache.enableWarming, false],
    ['PERSISTENCE_MULTI_TENANCY', 'false', (c) => c.tenant.enabled, false],
    ['PERSISTENCE_HOT_RELOAD', 'false', (c) => c.state.enableHotReload, false],
    ['REDIS_URL', 'redis://elsewhere:1', (c) => c.redis.url, 'redis://elsewhere:1'],
    ['AWS_REGION', 'eu-west-1', (c) => c.blobs.region, 'eu-west-1'],
  ] as [string, string, (config: Awaited<ReturnType<typeof load>>) => unknown, unknown][])(
    '%s works',
    async (name, written, read, expected) => {
      expect(read(await load({ [name]: written }))).toEqual(expected);
    },
  );

  it('all four quotas may come in one variable; a quota’s own wins', async () => {
    const { tenant } = await load({
      PERSISTENCE_TENANT_DEFAULT_QUOTAS: '{"memory_bytes":"2MB","operations_per_minute":7}',
      PERSISTENCE_TENANT_DEFAULT_QUOTAS_OPERATIONS_PER_MINUTE: '8',
    });
    expect(tenant.defaultQuotas).toMatchObject({
      memory_bytes: 2_097_152,
      operations_per_minute: 8,
      storage_bytes: 1_073_741_824,
    });
  });
});

describe('how Redis is reached [G1]', () => {
  const rest = { UPSTASH_REDIS_REST_URL: 'https://eu.example', UPSTASH_REDIS_REST_TOKEN: 'token' };

  it('over TCP by default', async () => {
    expect((await load({})).redis.transport).toBe('tcp');
  });

  it('over REST as soon as a REST URL is set', async () => {
    const { redis } = await load({ ...rest, REDIS_URL: 'redis://localhost:1' });
    expect(redis).toMatchObject({ transport: 'rest', restUrl: 'https://eu.example', restToken: 'token' });
  });

  it('over TCP when PERSISTENCE_REDIS_URL stands against the alias of a REST URL', async () => {
    expect((await load({ ...rest, PERSISTENCE_REDIS_URL: 'redis://localhost:1' })).redis.transport).toBe('tcp');
  });
});

describe('the production profile [C2 G6]', () => {
  it('lowers lifetimes and entry size, raises cache and quotas', async () => {
    const { profile, cache, tenant } = await load({ RIPTIDE_PROFILE: 'production' });
    expect(profile).toBe('production');
    expect(cache).toMatchObject({
      defaultTtlMs: 3_600_000,
      maxEntrySizeBytes: 10_485_760,
      maxMemoryBytes: 4_294_967_296,
    });
    expect(tenant.defaultQuotas).toEqual({
      memory_bytes: 524_288_000,
      storage_bytes: 10_737_418_240,
      operations_per_minute: 10_000,
      data_transfer_bytes: 107_374_182_400,
    });
  });

  it('changes nothing else', async () => {
    const [standard, production] = [await load({}), await load({ RIPTIDE_PROFILE: 'production' })];
    const { defaultTtlMs, maxEntrySizeBytes, maxMemoryBytes } = standard.cache;
    expect({
      ...production,
      profile: 'default',
      cache: { ...production.cache, defaultTtlMs, maxEntrySizeBytes, maxMemoryBytes },
      tenant: { ...production.tenant, defaultQuotas: standard.tenant.defaultQuotas },
    }).toEqual(standard);
  });
});
