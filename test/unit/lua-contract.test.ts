/** Every script and its binding say the same, and keep the rules that hold on a Cluster and on any request path. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { allScripts } from '../../lib/redis/bindings/all-scripts.ts';
import type { RedisReply } from '../../lib/redis/driver.ts';
import type { Script } from '../../lib/redis/script.ts';

type Bound = Pick<Script<string, string, RedisReply>, 'name' | 'source' | 'keys' | 'args'>;

const scriptDir = new URL('../../lib/redis/scripts/', import.meta.url);
const luaFiles = (dir: URL) => readdirSync(dir).filter((file) => file.endsWith('.lua'));
const bindingDir = new URL('../../lib/redis/bindings/', import.meta.url);
const scripts: readonly Bound[] = allScripts;

const HEADER_END = '\n]]\n';

function split(source: string): { header: string; body: string } {
  const end = source.indexOf(HEADER_END);
  return { header: source.slice(0, end), body: source.slice(end + HEADER_END.length) };
}

/** The code without its comments. */
function code(source: string): string {
  return split(source)
    .body.replace(/--\[\[[\s\S]*?\]\]/g, '')
    .replace(/--.*$/gm, '');
}

/** `KEYS[1] usage` gives 'usage'; a rest, as `KEYS[2..] entries`, gives '...entries'. */
function declared(source: string, table: 'KEYS' | 'ARGV'): readonly string[] {
  const lines = [...split(source).header.matchAll(new RegExp(`^ *${table}\\[(\\d+)(\\.\\.)?\\] +(\\w+)`, 'gm'))];
  return lines.map(([, number, rest, name], i) => {
    expect(Number(number), `numbers of ${table} in order`).toBe(i + 1);
    return rest === undefined ? `${name}` : `...${name}`;
  });
}

function usedIndexes(source: string, table: 'KEYS' | 'ARGV'): readonly number[] {
  return [...code(source).matchAll(new RegExp(`\\b${table}\\[(\\d+)\\]`, 'g'))].map((match) => Number(match[1]));
}

const camelCase = (name: string) => name.replace(/-(\w)/g, (_dash, letter: string) => letter.toUpperCase());

describe('the scripts as a whole', () => {
  it('have one binding for each file, in alphabetical order', () => {
    const files = luaFiles(scriptDir).map((file) => file.replace(/\.lua$/, ''));
    expect(scripts.map((script) => script.name)).toEqual(files.sort());
  });

  it('are exported under their own name', async () => {
    const files = readdirSync(bindingDir).filter((file) => /^(?!all-).*-scripts\.ts$/.test(file));
    const modules = await Promise.all(files.map((file) => import(new URL(file, bindingDir).href)));
    const exported = new Map<string, unknown>(modules.flatMap((module) => Object.entries(module)));
    for (const script of scripts) expect(exported.get(camelCase(script.name))).toBe(script);
    expect(exported.size).toBe(scripts.length);
  });

  it('use every include', () => {
    const includes = new URL('includes/', scriptDir);
    const text = (file: string, dir: URL) => readFileSync(new URL(file, dir), 'utf8');
    const all = [
      ...luaFiles(scriptDir).map((file) => text(file, scriptDir)),
      ...luaFiles(includes).map((file) => text(file, includes)),
    ];
    for (const include of luaFiles(includes)) {
      const used = new RegExp(`^--- @include "(?:includes/)?${include}"$`, 'm');
      expect(
        all.some((source) => used.test(source)),
        include,
      ).toBe(true);
    }
  });
});

describe.each(scripts)('script $name', ({ source, keys, args }) => {
  it('begins with a contract: what it does, why it is a script, what it returns and costs', () => {
    const { header } = split(source);
    expect(header).toMatch(/^--\[\[\n {2}[A-Z]/);
    expect(header).toMatch(/^ {2}Why a script: \S/m);
    expect(header).toMatch(/^ {2}Returns \S/m);
    expect(header).toMatch(/^ {2}Cost: O\(/m);
  });

  it('declares the keys and arguments its binding passes, in order', () => {
    expect(declared(source, 'KEYS')).toEqual(keys);
    expect(declared(source, 'ARGV')).toEqual(args);
  });

  it('names no key and no argument twice, and a rest only at the end', () => {
    for (const names of [keys, args]) {
      expect(new Set(names).size).toBe(names.length);
      expect(names.slice(0, -1).filter((name) => name.startsWith('...'))).toEqual([]);
    }
  });

  it.each([
    { table: 'KEYS', names: keys },
    { table: 'ARGV', names: args },
  ] as const)('uses every one of its $table, and none it does not declare', ({ table, names }) => {
    const fixed = names.flatMap((name, i) => (name.startsWith('...') ? [] : [i + 1]));
    const used = usedIndexes(source, table).filter((index) => index <= fixed.length || fixed.length === names.length);
    expect([...new Set(used)].sort((a, b) => a - b)).toEqual(fixed);
  });

  it('finds no keys by itself, and builds none', () => {
    expect(code(source)).not.toMatch(/['"](SCAN|KEYS|RANDOMKEY|DBSIZE)['"]/i);
    expect(code(source)).not.toMatch(/redis\.p?call\(\s*'\w+'\s*,\s*(['"]|[^,()]*\.\.)/);
  });

  it('runs whole: it calls redis.call with a name written out, so its cost can be read', () => {
    const calls = [...code(source).matchAll(/redis\.p?call\(\s*([^,)]+)/g)].map((match) => match[1] ?? '');
    expect(calls.filter((name) => !/^'[A-Z]+'$/.test(name.trim()))).toEqual([]);
  });
});
