import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../lib/config/load-config.ts';
import { resolveConfig } from '../../lib/config/resolve-config.ts';
import { SETTINGS } from '../../lib/config/schema.ts';
import { ConfigError } from '../../lib/errors.ts';

const ADMIN = { PERSISTENCE_ADMIN_KEY_SHA256: '0'.repeat(64) };
const noFile = () => '';
const problems = async (env: Record<string, string>) =>
  (await resolveConfig({ env: { ...ADMIN, ...env }, readFile: noFile })).issues;
const notes = async (env: Record<string, string>) =>
  (await resolveConfig({ env: { ...ADMIN, ...env }, readFile: noFile })).notes();
const failure = async (env: Record<string, string>, file = ''): Promise<ConfigError> => {
  const error: unknown = await loadConfig({ env, readFile: () => file }).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(ConfigError);
  return error as ConfigError;
};

describe('one error names every bad setting [G6 K6]', () => {
  it('from every source at once, each with where it was set', async () => {
    const env = {
      RIPTIDE_PROFILE: 'staging',
      RIPTIDE_CONFIG: 'persistence.yml',
      ENABLE_COMPRESSION: 'maybe',
      PERSISTENCE_REDIS_POOL_SIZE: 'ten',
      PERSISTENCE_REDIS_POLL_SIZE: '10',
      PERSISTENCE_WORKER_BATCH_SIZE: '2000',
    };
    const error = await failure(env, 'persistence:\n  cache:\n    max_entry_size_bytes: huge\n    colour: red');
    expect(error.code).toBe('config_invalid');
    expect(error.issues).toEqual([
      { field: 'PERSISTENCE_REDIS_POLL_SIZE', message: 'no such setting; did you mean PERSISTENCE_REDIS_POOL_SIZE?' },
      { field: 'RIPTIDE_PROFILE', message: 'expected default or production' },
      { field: 'persistence.yml:4', message: 'no such setting: cache.colour' },
      {
        field: 'redis.pool_size',
        message: 'expected a whole number from 1 to 1000; set by PERSISTENCE_REDIS_POOL_SIZE',
      },
      {
        field: 'cache.max_entry_size_bytes',
        message: expect.stringMatching(/^expected bytes from .*; set by persistence\.yml:3$/),
      },
      { field: 'cache.enable_compression', message: 'expected true or false; set by ENABLE_COMPRESSION' },
      {
        field: 'admin.key_sha256',
        message: 'required, expected a SHA-256 in hex: 64 digits; set PERSISTENCE_ADMIN_KEY_SHA256',
      },
      {
        field: 'worker.batch_size',
        message: expect.stringContaining('at most worker.queue_size; worker.batch_size is set by PERSISTENCE_WORKER'),
      },
    ]);
    for (const { field } of error.issues ?? []) expect(error.message).toContain(field);
  });

  it('and never a value, whichever setting is bad', async () => {
    const secret = `s3cr3t value\n\${S3CR3T`;
    const env = Object.fromEntries(
      SETTINGS.flatMap(({ variable, aliases = [] }) => [variable, ...aliases].map((name) => [name, secret])),
    );
    const error = await failure({ ...env, RIPTIDE_PROFILE: secret, [`PERSISTENCE_${secret}`]: secret });
    expect(error.issues?.length).toBeGreaterThan(60);
    expect(JSON.stringify([error.message, error.issues, error.details, error.stack])).not.toMatch(/s3cr3t/i);
  });

  it('and never a value of the file, even where it is not YAML', async () => {
    const file =
      'persistence:\n  redis:\n    rest_token: "s3cr3t\n    url: [s3cr3t, : s3cr3t}\n  s3cr3t: here s3cr3t: there\n';
    const error = await failure({ ...ADMIN, RIPTIDE_CONFIG: '/etc/s3cr3t\n/persistence.yml' }, file);
    expect(JSON.stringify([error.message, error.issues])).not.toContain('s3cr3t');
  });
});

describe('values that look right and are not [G1 G2 G3 G4 G5]', () => {
  it.each([
    [
      'REDIS_POOL_SIZE',
      ['0', '-1', '1.5', '1e3', '0x10', 'NaN', 'Infinity', '99999999999999999999', '１０', 'null', 'ten'],
    ],
    ['CACHE_ENABLE_COMPRESSION', ['2', 'y', 'truee', 'null', '__proto__', 'constructor', 'tru e']],
    ['CACHE_MAX_ENTRY_SIZE_BYTES', ['0', '-1', '20XB', '20M', 'MB', '1.5MB', '20  MB', '6000000GB', '1e6']],
    ['CACHE_COMPRESSION_ALGORITHM', ['gzip', 'lz4,zstd', 'toString']],
    ['CACHE_KEY_PREFIX', ['a:b', '{a}', 'a*', 'ä', 'x'.repeat(33), 'a\nb']],
    ['CACHE_DEFAULT_TTL_SECONDS', ['0', '-5', 'never', '1d', '400000000']],
    ['STATE_SESSION_TIMEOUT_SECONDS', ['0', '31536001', '1h']],
    ['STATE_SESSION_MAX_LIFETIME_SECONDS', ['59', '31536001']],
    ['STATE_SESSION_MAX_BYTES', ['1023', '4194305', '5MB']],
    ['SPILLOVER_MAX_MEMORY_BYTES', ['0', '65535']],
    ['SPILLOVER_THRESHOLD_RATIO', ['0', '0.09', '0.991', '1', '1.01', '-0.5', '80', '.', '0,8', '80%', 'NaN', '0.0']],
    ['SPILLOVER_INTERVAL_SECONDS', ['4', '61']],
    ['SPILLOVER_BATCH_SIZE', ['0', '101']],
    ['SPILLOVER_STORAGE_CLASS', ['GLACIER', 'DEEP_ARCHIVE', 'REDUCED_REDUNDANCY', 'STANDARD-IA', 'toString']],
    ['REDIS_URL', ['localhost:6379', 'http://h', 'https://h', 'redis://', 'redis:h', 'unix:///tmp/s']],
    ['REDIS_REST_URL', ['redis://h', 'h', 'ftp://h', 'https://']],
    ['RENDER_BASE_URL', ['localhost:9123', 'javascript:alert(1)', 'file:///etc/passwd']],
    [
      'HTTP_CORS_ORIGINS',
      [
        'example.com',
        'https://a.example/',
        'https://a.example/path',
        'https://*.example',
        'null',
        'https://u:p@a.example',
      ],
    ],
    ['ENCRYPTION_KMS_KEY_ID', ['alias/a b', 'key?', 'alias/ä', 'x'.repeat(2049)]],
    ['BLOBS_BUCKET', ['a', 'A-b-c', 'a/b', '../x', 'x'.repeat(64)]],
    ['WORKER_FLUSH_INTERVAL_MS', ['0', '2147483648']],
    ['ADMIN_KEY_SHA256', ['0'.repeat(63), '0'.repeat(65), 'g'.repeat(64)]],
    ['TENANT_DEFAULT_QUOTAS', ['{', '[]', '5', 'null', '{"memory":1}', '{"__proto__":1}', '{"constructor":{}}']],
    ['TENANT_DEFAULT_QUOTAS_MEMORY_BYTES', ['-1', 'unlimited']],
  ])('%s refuses them', async (name, values) => {
    for (const value of values) {
      const found = await problems({ PERSISTENCE_REDIS_REST_TOKEN: 't', [`PERSISTENCE_${name}`]: value });
      expect(found, value).toHaveLength(1);
    }
  });

  it('takes a value with blanks around it', async () => {
    expect(await problems({ PERSISTENCE_REDIS_POOL_SIZE: ' 10 ' })).toEqual([]);
  });
});

describe('settings that contradict each other [G1 G2 G5]', () => {
  it.each([
    [{ UPSTASH_REDIS_REST_URL: 'https://h' }, 'redis.rest_token'],
    [
      { PERSISTENCE_CACHE_INLINE_MAX_BYTES: '2MB', PERSISTENCE_CACHE_MAX_ENTRY_SIZE_BYTES: '1MB' },
      'cache.inline_max_bytes',
    ],
    [{ PERSISTENCE_CACHE_MAX_MEMORY_BYTES: '1MB' }, 'cache.max_entry_size_bytes'],
    [{ PERSISTENCE_STATE_SESSION_MAX_LIFETIME_SECONDS: '1799' }, 'state.session_timeout_seconds'],
    [{ PERSISTENCE_WORKER_QUEUE_SIZE: '10' }, 'worker.batch_size'],
    [{ PERSISTENCE_ENCRYPTION_PROVIDER: 'kms' }, 'encryption.kms_key_id'],
    [{ PERSISTENCE_ENCRYPTION_PROVIDER: 'local' }, 'encryption.master_key_file'],
    [
      { PERSISTENCE_ENCRYPTION_KMS_KEY_ID: 'alias/a', PERSISTENCE_ENCRYPTION_MASTER_KEY_FILE: '/k' },
      'encryption.provider',
    ],
    [{ PERSISTENCE_ENCRYPTION_DATA_KEY_STALE_SECONDS: '60' }, 'encryption.data_key_max_age_seconds'],
  ])('%j is refused', async (env, field) => {
    expect((await problems(env)).map((issue) => issue.field)).toEqual([field]);
  });

  it('a small entry size does not quarrel with the default of inline_max_bytes', async () => {
    expect(await problems({ PERSISTENCE_CACHE_MAX_ENTRY_SIZE_BYTES: '1000' })).toEqual([]);
  });
});

describe('what cannot apply is reported, not ignored [G1 G2 G3 G4 G5 G6]', () => {
  const REST = { UPSTASH_REDIS_REST_URL: 'https://h', UPSTASH_REDIS_REST_TOKEN: 't' };

  it.each([
    [
      { ...REST, PERSISTENCE_REDIS_CLUSTER_MODE: 'true' },
      'redis.cluster_mode (PERSISTENCE_REDIS_CLUSTER_MODE) has no effect: Redis is reached',
    ],
    [{ ...REST, REDIS_URL: 'redis://h' }, 'redis.url (REDIS_URL) has no effect'],
    [
      { UPSTASH_REDIS_REST_TOKEN: 't' },
      'redis.rest_token (UPSTASH_REDIS_REST_TOKEN) has no effect: Redis is reached through redis.url',
    ],
    [
      { ENABLE_COMPRESSION: 'false', PERSISTENCE_CACHE_COMPRESSION_ALGORITHM: 'zstd' },
      'cache.enable_compression is false',
    ],
    [
      { PERSISTENCE_CACHE_COMPRESSION_ALGORITHM: 'none', PERSISTENCE_CACHE_COMPRESSION_THRESHOLD_BYTES: '5' },
      'cache.compression_algorithm is none',
    ],
    [{ PERSISTENCE_REDIS_RETRY_ATTEMPTS: '0', PERSISTENCE_REDIS_RETRY_DELAY_MS: '5' }, 'redis.retry_attempts is 0'],
    [
      { PERSISTENCE_REDIS_ENABLE_PIPELINING: 'no', PERSISTENCE_REDIS_MAX_PIPELINE_SIZE: '5' },
      'redis.enable_pipelining is false',
    ],
    [
      { PERSISTENCE_ENCRYPTION_PROVIDER: 'none', PERSISTENCE_ENCRYPTION_KMS_KEY_ID: 'alias/a' },
      'encryption.provider is not kms',
    ],
    [{ PERSISTENCE_ENCRYPTION_REQUEST_TIMEOUT_MS: '5' }, 'encryption.provider is none'],
    [{ ...REST, PERSISTENCE_REDIS_REST_URL: 'http://elsewhere' }, 'its token is sent in the clear'],
  ])('%j', async (env, note) => {
    expect(await notes(env)).toContainEqual(expect.stringContaining(note));
  });

  it('says of each setting whose capability is not built that it waits for it', async () => {
    for (const { variable, path, awaits, default: standard } of SETTINGS.filter(
      (setting) => setting.awaits !== undefined,
    )) {
      expect(await notes({ [variable]: String(standard) })).toContain(
        `${path} (${variable}) has no effect: ${awaits} is not built yet`,
      );
    }
  });

  it('says nothing about defaults and profiles', async () => {
    expect(await notes({ RIPTIDE_PROFILE: 'production' })).toEqual([]);
    expect(await notes({ ...REST, UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:8079' })).toEqual([]);
  });
});

describe('garbage [K6]', () => {
  const names = SETTINGS.flatMap(({ variable, aliases = [] }) => [variable, ...aliases]);
  const name = fc.oneof(
    fc.constantFrom(...names, 'RIPTIDE_PROFILE', 'PERSISTENCE_TENANT_DEFAULT_QUOTAS', '__proto__', 'constructor'),
    fc.string().map((text) => `PERSISTENCE_${text}`),
  );
  const token = fc.oneof(
    fc.string(),
    fc.constantFrom(
      'persistence:',
      '\n',
      '\n  cache:',
      '\n    version:',
      ' ',
      '- ',
      '&a',
      '*a',
      '<<: ',
      '!!binary ',
      `\${`,
      '}',
      ':-',
      '{',
      '[',
      '|',
      '"',
      '---',
      '%',
    ),
  );

  it('in any variable and any file throws nothing but ConfigError', async () => {
    const values = fc.dictionary(
      name,
      fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('1', 'true', `\${A}`, '{"memory_bytes":{}}')),
    );
    const files = fc.array(token, { maxLength: 40 }).map((tokens) => tokens.join(''));
    const check = async (env: Record<string, string>, file: string) => {
      const outcome = await loadConfig({
        env: { ...ADMIN, RIPTIDE_CONFIG: 'f.yml', ...env },
        readFile: () => file,
      }).catch((error: unknown) => error);
      expect(outcome instanceof ConfigError || (outcome as { config?: unknown }).config !== undefined).toBe(true);
    };
    await fc.assert(fc.asyncProperty(values, files, check), { numRuns: 300 });
  });
});
