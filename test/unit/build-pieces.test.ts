import { globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { bundle } from '../../infra/build/bundle.ts';
import { functionKey, readFunctionList } from '../../infra/build/function-list.ts';
import { findAddon } from '../../infra/build/native-addon.ts';
import { EAGER_BUDGETS, overBudget } from '../../infra/build/report.ts';
import { stripLua } from '../../infra/build/strip-lua.ts';
import { zip } from '../../infra/build/zip.ts';
import { luaParts, readLua } from '../../infra/lua-source.ts';
import { zipEntries } from '../support/zip-entries.ts';

const root = join(import.meta.dirname, '../..');
const scratch = mkdtempSync(join(tmpdir(), 'riptide-build-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A small repository of its own. */
function tree(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(scratch, 'tree-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** Written to a folder of its own, as a module. */
function unpack(files: ReadonlyMap<string, Uint8Array>): string {
  const texts = [...files].map(([name, content]) => [name, Buffer.from(content).toString()] as const);
  return tree(Object.fromEntries([...texts, ['package.json', '{"type":"module"}']]));
}

const textOf = (files: ReadonlyMap<string, Uint8Array>, name: string) => Buffer.from(files.get(name) ?? []).toString();

describe('a bundle [A14]', () => {
  it('counts what a cold start reads, and not what is loaded later', async () => {
    const folder = tree({
      'functions/a/b.ts':
        "import { near } from './near.ts';\nexport const handler = async () => [near, (await import('./far.ts')).far];",
      'functions/a/near.ts': "export const near = 'near'.repeat(2);",
      'functions/a/far.ts': `export const far = '${'x'.repeat(10_000)}';`,
    });
    const { files, eagerBytes } = await bundle(folder, { source: 'functions/a/b.ts' });
    const total = [...files.values()].reduce((sum, { length }) => sum + length, 0);
    expect(eagerBytes).toBeLessThan(1_000);
    expect(total).toBeGreaterThan(10_000);
  });

  it('holds Lua scripts as text, and what they include once', async () => {
    const folder = tree({
      'functions/a/b.ts': "import s from './s.lua';\nimport t from './t.lua';\nexport const handler = () => [s, t];",
      'functions/a/s.lua': '--- @include "part.lua"\nreturn part()',
      'functions/a/t.lua': '-- why\nlocal a = 1\n--- @include "part.lua"\nreturn part() + a',
      'functions/a/part.lua': 'local function part() return 7 end',
    });
    const { files } = await bundle(folder, { source: 'functions/a/b.ts' });
    const code = textOf(files, 'index.js');
    expect(code.split('local function part() return 7 end')).toHaveLength(2);
    writeFileSync(join(folder, 'bundle.mjs'), code);
    const { handler } = await import(pathToFileURL(join(folder, 'bundle.mjs')).href);
    expect(handler()).toEqual([
      'local function part() return 7 end\nreturn part()',
      'local a = 1\nlocal function part() return 7 end\nreturn part() + a',
    ]);
  });

  it('reads one file at a cold start, and what is loaded later shares its state', async () => {
    const folder = tree({
      'functions/a/b.ts':
        "import { count } from './state.ts';\nexport const handler = async () => { count(); const { far } = await import('./far.ts'); far(); return count(); };",
      'functions/a/state.ts':
        'let calls = 0;\nexport const count = () => ++calls;\nexport const reset = () => (calls = 0);',
      'functions/a/far.ts':
        "import { count as add, reset } from './state.ts';\nreset();\nexport const far = () => add();",
    });
    const { files } = await bundle(folder, { source: 'functions/a/b.ts' });
    expect(files.size).toBe(2);
    expect(textOf(files, 'index.js')).not.toMatch(/from ?"\.\//);
    const { handler } = await import(pathToFileURL(join(unpack(files), 'index.js')).href);
    expect(await handler()).toBe(2);
  });

  it('keeps the names of errors, and of nothing else', async () => {
    const folder = tree({
      'functions/a/b.ts':
        "class LostError extends Error { constructor(text) { super(text); this.name = new.target.name; } }\nclass OwnError extends LostError {}\nclass Kept {}\nexport const handler = () => [new OwnError('x'), LostError.name, Kept];",
    });
    const { files } = await bundle(folder, { source: 'functions/a/b.ts' });
    const { handler } = await import(pathToFileURL(join(unpack(files), 'index.js')).href);
    expect(handler().slice(0, 2)).toEqual([expect.objectContaining({ name: 'OwnError' }), 'LostError']);
    expect(textOf(files, 'index.js')).not.toContain('Kept');
  });

  it('leaves out the scripts it does not run, and JSON Schema where no OpenAPI document is made', async () => {
    const read = textOf((await bundle(root, { source: 'functions/ratelimit/check-limit.ts' })).files, 'index.js');
    expect(read).toContain('has no JSON Schema');
    expect(read).not.toContain('change-tenant');
    const { files } = await bundle(root, { source: 'functions/docs/get-openapi.ts' });
    for (const name of files.keys()) expect(textOf(files, name), name).not.toContain('has no JSON Schema');
  });

  it('starts with no endpoint of those that share it, and has each in a file of its own', async () => {
    const folder = tree({
      'lib/http/shared-function.ts':
        'export const sharedFunction = (endpoints) => async ({ routeKey }) => (await endpoints[routeKey]()).handler();',
      'functions/a/one.ts': `export const handler = () => '${'1'.repeat(2_000)}';`,
      'functions/a/two.ts': `export const handler = () => '${'2'.repeat(2_000)}';`,
    });
    const routes = { 'GET /one': 'functions/a/one.ts', 'GET /two/{id}': 'functions/a/two.ts' };
    const { files, eagerBytes } = await bundle(folder, { routes });
    expect(eagerBytes).toBeLessThan(1_000);
    expect(files.size).toBe(3);
    const { handler } = await import(pathToFileURL(join(unpack(files), 'index.js')).href);
    expect(await handler({ routeKey: 'GET /two/{id}' })).toBe('2'.repeat(2_000));
  });

  it('says whether it needs the native addon', async () => {
    const folder = tree({
      'functions/a/with.ts': "import { compressFrameSync } from 'lz4-napi';\nexport const handler = compressFrameSync;",
      'functions/a/without.ts': 'export const handler = () => 1;',
    });
    expect((await bundle(folder, { source: 'functions/a/with.ts' })).needsAddon).toBe(true);
    expect((await bundle(folder, { source: 'functions/a/without.ts' })).needsAddon).toBe(false);
  });

  it('is refused when the source does not compile', async () => {
    const folder = tree({ 'functions/a/b.ts': "import './absent.ts';" });
    await expect(bundle(folder, { source: 'functions/a/b.ts' })).rejects.toThrow('absent.ts');
  });
});

describe('a Lua script in a bundle [A14]', () => {
  it('loses its header, whole-line comments, margins and empty lines', () => {
    const source = '--[[\n  Header.\n  KEYS[1] x\n]]\n\nlocal a = 1\n  -- why\nif a then\n    return a -- kept\nend\n';
    expect(stripLua(source)).toBe('local a = 1\nif a then\nreturn a -- kept\nend');
  });

  it('keeps comments that are text, and lines that only look like comments', () => {
    const source = 'local t = [[\n-- text\n]]\nreturn t';
    expect(stripLua(source)).toBe(source);
    expect(stripLua("return '--' .. '--'")).toBe("return '--' .. '--'");
    expect(stripLua('local a = KEYS[1]\nreturn b[KEYS[1]]')).toBe('local a = KEYS[1]\nreturn b[KEYS[1]]');
  });

  it('is the same in its parts as in one piece, whichever script it was', () => {
    const composed = (file: string): string => {
      const parts = luaParts(file).map((part) =>
        'text' in part ? stripLua(part.text) : composed(join(dirname(file), part.include)),
      );
      return parts.filter((text) => text !== '').join('\n');
    };
    for (const file of globSync('lib/redis/scripts/*.lua', { cwd: root })) {
      expect(composed(join(root, file)), file).toBe(stripLua(readLua(join(root, file))));
    }
  });

  it('is not empty, whichever script it was', () => {
    for (const file of globSync('lib/redis/scripts/*.lua', { cwd: root })) {
      const source = readLua(join(root, file));
      expect(stripLua(source).length, file).toBeGreaterThan(100);
      expect(stripLua(source), file).not.toMatch(/^--/m);
    }
  });
});

describe('a zip [A14]', () => {
  it('depends on the files, not on their order', async () => {
    const a = Buffer.from('a');
    const b = Buffer.from('b');
    const one = await zip(
      new Map([
        ['a', a],
        ['b', b],
      ]),
    );
    const other = await zip(
      new Map([
        ['b', b],
        ['a', a],
      ]),
    );
    expect(one.equals(other)).toBe(true);
    expect(zipEntries(one).map(({ name, size }) => [name, size])).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
  });

  it('changes with a byte of content', async () => {
    expect((await zip(new Map([['a', Buffer.from('a')]]))).equals(await zip(new Map([['a', Buffer.from('b')]])))).toBe(
      false,
    );
  });
});

describe('the list of functions [A14]', () => {
  it('names a function after its area and file', () => {
    expect(functionKey('functions/cache/get-entry.ts')).toBe('cacheGetEntry');
    expect(functionKey('functions/render-sessions/get-or-create-session.ts')).toBe('renderSessionsGetOrCreateSession');
  });

  it('refuses a handler that names no source', () => {
    const folder = tree({ 'infra/functions.yml': 'odd:\n  handler: dist/odd/index.handler\n' });
    expect(() => readFunctionList(folder)).toThrow('odd: handler must read functions/');
  });
});

describe('the native addon [C5]', () => {
  it('is at hand for this machine', () => {
    expect(findAddon(root, { platform: process.platform, arch: process.arch })).toMatch(/\.node$/);
  });

  it('is refused for a machine lz4 does not know', () => {
    expect(() => findAddon(root, { platform: 'linux', arch: 'mips' })).toThrow('lz4-napi has no addon for linux mips');
  });
});

describe('the budget of a cold start [A14]', () => {
  it('is kept at 250 KB and broken one byte above', () => {
    expect(EAGER_BUDGETS.cacheGetEntry).toBe(250_000);
    expect(overBudget([{ key: 'cacheGetEntry', eagerBytes: 250_000 }])).toEqual([]);
    expect(overBudget([{ key: 'cacheGetEntry', eagerBytes: 250_001 }])).toHaveLength(1);
  });
});
