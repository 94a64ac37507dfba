import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { withConfigTable } from '../../infra/config-table.ts';
import { configJson, configText } from '../../infra/print-config.ts';
import { resolveConfig } from '../../lib/config/resolve-config.ts';
import { SETTINGS } from '../../lib/config/schema.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const ADMIN = { PERSISTENCE_ADMIN_KEY_SHA256: 'c0ffee00'.repeat(8) };
const resolve = async (env: Record<string, string>) => {
  const resolved = await resolveConfig({ env, readFile: () => '' });
  return { ...resolved, notes: await resolved.notes() };
};
const print = (env: Record<string, string>, ...flags: string[]) =>
  spawnSync(process.execPath, ['infra/print-config.ts', ...flags], { cwd: root, env, encoding: 'utf8' });

describe('the documented table [G6 K6]', () => {
  it.each(['docs/configuration.md', 'README.md'].filter((name) => existsSync(`${root}${name}`)))(
    'of %s says what the schema says',
    (name) => {
      const document = readFileSync(`${root}${name}`, 'utf8');
      expect(withConfigTable(document)).toBe(document);
    },
  );

  it('is in docs/configuration.md, with every setting and alias', () => {
    const document = readFileSync(`${root}docs/configuration.md`, 'utf8');
    for (const { path, aliases = [] } of SETTINGS) {
      for (const name of [path.slice(path.lastIndexOf('.') + 1), ...aliases]) expect(document).toContain(`\`${name}\``);
    }
  });

  it('replaces what stood between the markers and nothing else', () => {
    const written = withConfigTable('before\n<!-- config:start -->\nwhat stood here\n<!-- config:end -->\nafter\n');
    expect(written).toMatch(/^before\n<!-- config:start -->\n\n\*\*redis\*\*[\s\S]*\n\n<!-- config:end -->\nafter\n$/);
    expect(written).not.toContain('what stood here');
    expect(withConfigTable(written)).toBe(written);
    expect(withConfigTable('no markers')).toBe('no markers');
  });
});

describe('npm run config [K6]', () => {
  const secrets = {
    ...ADMIN,
    UPSTASH_REDIS_REST_URL: 'https://user:hunter2@eu.example/?token=hunter2',
    UPSTASH_REDIS_REST_TOKEN: 'hunter2',
    REDIS_URL: 'rediss://:hunter2@h:6380/1',
  };

  it('shows each setting with its value and where it comes from', async () => {
    const lines = configText(
      await resolve({ ...ADMIN, CACHE_DEFAULT_TTL_SECONDS: '7', RIPTIDE_PROFILE: 'production' }),
    ).split('\n');
    const line = (setting: string) => lines.find((text) => text.startsWith(`${setting} `))?.split(/ {2,}/);
    expect(line('cache.default_ttl_seconds')).toEqual(['cache.default_ttl_seconds', '7', 'CACHE_DEFAULT_TTL_SECONDS']);
    expect(line('cache.max_entry_size_bytes')).toEqual(['cache.max_entry_size_bytes', '10MB', 'production profile']);
    expect(line('log.level')).toEqual(['log.level', 'info', 'default']);
    expect(lines).toHaveLength(SETTINGS.length);
  });

  it('shows no secret, as table or JSON, good or bad', async () => {
    for (const env of [secrets, { ...secrets, REDIS_URL: 'hunter2', PERSISTENCE_BLOBS_ENDPOINT: 'hunter2' }]) {
      const resolved = await resolve(env);
      for (const shown of [configText(resolved), configJson(resolved)]) {
        expect(shown).not.toContain('hunter2');
        expect(shown).not.toContain('c0ffee');
        expect(shown).toContain('•••• (set)');
      }
    }
    expect(configText(await resolve(secrets))).toContain('rediss://••••@h:6380/1');
  });

  it('sends no control character to the terminal', async () => {
    const controlCode = String.fromCharCode(27);
    expect(
      configText(await resolve({ ...ADMIN, PERSISTENCE_STATE_CONFIG_WATCH_PATHS: `${controlCode}[2J` })),
    ).not.toContain(controlCode);
  });

  it('ends with 0 and JSON when all is well', () => {
    const { status, stdout } = print(ADMIN, '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ usable: true, issues: [] });
  });

  it('ends with 1, still shows everything, and says how to set the admin key, when it is missing', () => {
    const { status, stdout } = print({});
    expect(status).toBe(1);
    expect(stdout).toMatch(/admin\.key_sha256 +\(missing\) +missing: set PERSISTENCE_ADMIN_KEY_SHA256/);
    expect(stdout).toContain('sha256sum');
    expect(stdout).toContain('redis://localhost:6379');
  });
});
