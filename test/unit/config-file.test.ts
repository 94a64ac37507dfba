import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ResolvedConfig, resolveConfig } from '../../lib/config/resolve-config.ts';
import { substitute } from '../../lib/config/substitution.ts';

const ADMIN = { PERSISTENCE_ADMIN_KEY_SHA256: '0'.repeat(64) };
const read = (file: string, env: Record<string, string> = {}): Promise<ResolvedConfig> =>
  resolveConfig({ env: { ...ADMIN, RIPTIDE_CONFIG: '/etc/riptide/persistence.yml', ...env }, readFile: () => file });

describe('placeholders in the file [G6]', () => {
  const env = { NAME: 'value', EMPTY: '', OTHER: `\${NAME}` };

  it.each([
    [`\${NAME}`, 'value'],
    [`\${NAME:-unused}`, 'value'],
    [`\${MISSING:-fallback}`, 'fallback'],
    [`\${MISSING:-}`, ''],
    [`\${EMPTY:-fallback}`, 'fallback'],
    [`redis://\${NAME}:\${PORT:-6379}/0`, 'redis://value:6379/0'],
    [`\${URL:-redis://localhost:6379}`, 'redis://localhost:6379'],
    ['costs $5 {a}', 'costs $5 {a}'],
    [`\${OTHER}`, `\${NAME}`],
  ])('%s becomes %s', (text, expected) => {
    expect(substitute(text, env)).toEqual({ text: expected });
  });

  it.each([
    [`\${NAME`, 'never closed'],
    [`a \${`, 'never closed'],
    [`\${A:-\${B}}`, 'do not nest'],
    [`\${}`, `not \${NAME}`],
    [`\${a b}`, `not \${NAME}`],
    [`\${MISSING}`, `\${MISSING} is not set`],
    [`\${__proto__}`, `\${__proto__} is not set`],
    [`\${constructor}`, `\${constructor} is not set`],
  ])('%s is refused', (text, problem) => {
    expect(substitute(text, env)).toEqual({ problem: expect.stringContaining(problem) });
  });

  it('takes time in proportion to the text, whatever the text', () => {
    const seconds = (text: string) => {
      const started = performance.now();
      substitute(text, {});
      return (performance.now() - started) / 1000;
    };
    for (const piece of [`\${`, `\${A:-`, `\${A:-b}`, '$', '}', ':-'])
      expect(seconds(piece.repeat(200_000))).toBeLessThan(1);
  });

  it('leaves text without placeholders as it is', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes(`\${`)),
        (text) => {
          expect(substitute(text, {})).toEqual({ text });
        },
      ),
    );
  });

  it('reads numbers, switches and lists out of placeholders', async () => {
    const file = `persistence:\n  redis: { pool_size: "\${POOL:-7}" }\n  cache:\n    enable_compression: \${PACK:-off}\n  http:\n    cors_origins: ["\${ORIGIN}"]`;
    const { config, issues } = await read(file, { ORIGIN: 'https://app.example' });
    expect(issues).toEqual([]);
    expect(config).toMatchObject({
      redis: { poolSize: 7 },
      cache: { enableCompression: false },
      http: { corsOrigins: ['https://app.example'] },
    });
  });

  it('never lets a variable become YAML', async () => {
    const { config, issues } = await read(`persistence:\n  cache:\n    version: \${V}`, {
      V: 'v1\n  log: { level: debug }',
    });
    expect(config).toBeUndefined();
    expect(issues).toEqual([
      { field: 'cache.version', message: 'expected 1 to 32 of A-Z a-z 0-9 _ -; set by persistence.yml:3' },
    ]);
  });
});

describe('the file [G6 K6]', () => {
  it('may be empty', async () => {
    for (const file of ['', '# nothing', 'persistence:', 'persistence:\n  cache:'])
      expect((await read(file)).issues).toEqual([]);
  });

  it('may be JSON', async () => {
    expect((await read('{"persistence":{"cache":{"default_ttl_seconds":9}}}')).config?.cache.defaultTtlMs).toBe(9000);
  });

  it('may use anchors', async () => {
    const { config } = await read('persistence:\n  cache: { key_prefix: &name acme }\n  blobs: { bucket: *name }');
    expect(config?.blobs.bucket).toBe('acme');
  });

  it('loses no digit of a hash that looks like a number', async () => {
    const digits = '0123456789'.repeat(7).slice(0, 64);
    const { config } = await resolveConfig({
      env: { RIPTIDE_CONFIG: 'f.yml' },
      readFile: () => `persistence:\n  admin:\n    key_sha256: ${digits}`,
    });
    expect(config?.admin.keySha256).toBe(digits);
  });

  it('is only read when RIPTIDE_CONFIG names it', async () => {
    const readFile = () => {
      throw new Error('must not be called');
    };
    expect((await resolveConfig({ env: ADMIN, readFile })).issues).toEqual([]);
  });

  it('that cannot be read is a problem with its reason', async () => {
    const env = { ...ADMIN, RIPTIDE_CONFIG: '/nowhere/persistence.yml' };
    const { issues } = await resolveConfig({ env, readFile: (path) => readFileSync(path, 'utf8') });
    expect(issues).toEqual([{ field: 'RIPTIDE_CONFIG', message: 'the file it names cannot be read (ENOENT)' }]);
  });

  it.each([
    ['persistence:\n  cach:\n    version: v1', 'persistence.yml:2', 'no such setting: cach; did you mean cache?'],
    [
      'persistence:\n  cache:\n    verison: v1',
      'persistence.yml:3',
      'no such setting: cache.verison; did you mean cache.version?',
    ],
    ['persistence:\n  cache:\n    default_ttl: 3', 'persistence.yml:3', 'did you mean cache.default_ttl_seconds?'],
    ['persistence:\n  cache:\n    pool_size: 3', 'persistence.yml:3', 'did you mean redis.pool_size?'],
    ['cache:\n  version: v1', 'persistence.yml:1', 'expected "persistence:"'],
    ['persistence: 5', 'persistence', 'expected names and values below it; set by persistence.yml:1'],
    ['persistence:\n  cache: [1]', 'cache', 'expected names and values below it; set by persistence.yml:2'],
    ['persistence:\n  cache:\n    version: { a: b }', 'cache.version', 'expected a value; set by persistence.yml:3'],
    [
      'persistence:\n  cache:\n    version: [v1]',
      'cache.version',
      'expected 1 to 32 of A-Z a-z 0-9 _ -; set by persistence.yml:3',
    ],
    ['persistence:\n  cache:\n    version: *nowhere', 'cache.version', 'expected a value; set by persistence.yml:3'],
    ['persistence:\n  log: {}\n  log: {}', 'persistence.yml:3', 'not valid YAML: duplicate key'],
    ['persistence:\n  log: { level', 'persistence.yml:2', 'not valid YAML'],
    ['- a', 'persistence.yml:1', 'expected groups below "persistence:"'],
    ['persistence:\n  __proto__: { polluted: yes }', 'persistence.yml:2', 'no such setting: __proto__'],
    [
      'persistence:\n  cache: { __proto__: { version: v9 }, constructor: 1 }',
      'persistence.yml:2',
      'no such setting: cache.__proto__',
    ],
    ['['.repeat(100_000), 'persistence.yml', 'not valid YAML'],
    ['#'.repeat(300_000), 'persistence.yml', 'expected at most 262144 characters'],
    ['persistence:\n  log: {}\n---\npersistence:\n  log: {}', 'persistence.yml:3', 'not valid YAML: multiple docs'],
    ['persistence: &all\n  cache: *all', 'persistence.yml:2', 'no such setting: cache.cache'],
  ])('%# is refused, with its line', async (file, field, message) => {
    const { config, issues } = await read(file);
    expect(config).toBeUndefined();
    expect(issues).toContainEqual({ field: expect.stringContaining(field), message: expect.stringContaining(message) });
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  // Each took minutes, in which the process answered nobody, when time grew with the square of the length.
  const many = (text: (index: number) => string) =>
    Array.from({ length: 20_000 }, (_, index) => text(index)).join(', ');
  it.each([
    ['unknown names', `persistence:\n  cache: { ${many((index) => `k${index}: 1`)} }`, 'no such setting'],
    ['aliases', `persistence:\n  cache:\n    version: [&a v1, ${many(() => '*a')}]`, 'expected 1 to 32'],
    ['faults of syntax', `${'['.repeat(9_000)}`, 'not valid YAML'],
  ])('with many %s is refused at once, and the first 100 problems are told', async (_, file, message) => {
    const { issues } = await read(file);
    expect(issues[0]?.message).toContain(message);
    expect(issues.length).toBeLessThanOrEqual(101);
  });

  it('shipped as an example is good, and says what the defaults say', async () => {
    const example = readFileSync(new URL('../../config/persistence.yml', import.meta.url), 'utf8');
    const [shipped, standard] = [await read(example), await resolveConfig({ env: ADMIN, readFile: () => '' })];
    expect(shipped.issues).toEqual([]);
    expect(shipped.config).toEqual(standard.config);
  });
});
