import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const ADAPTERS = 'lib/sessions/adapters';

const sources = ['functions', 'lib'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name))),
);
const textOf = (path: string) => readFileSync(join(ROOT, path), 'utf8');

describe('adapters for servers of others [S2]', () => {
  it('are in no function of the service: nothing outside of them imports them', () => {
    const importing = sources.filter((path) => !path.startsWith(ADAPTERS) && /sessions\/adapters\//.test(textOf(path)));
    expect(importing).toEqual([]);
  });

  it('bring no framework along: of express-session and middy they know the types', () => {
    const loaded = sources
      .filter((path) => path.startsWith(ADAPTERS))
      .flatMap((path) =>
        Array.from(textOf(path).matchAll(/^import (?!type ).*? from '([^.'][^']*)'/gm), ([, name]) => name),
      );
    expect(loaded).toEqual([]);
    expect(sources.some((path) => path.startsWith(ADAPTERS))).toBe(true);
  });
});
