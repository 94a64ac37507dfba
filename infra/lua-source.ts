/**
 * Reads a Lua script and inlines its includes. The one reader behind the three ways a script is loaded: the
 * esbuild plugin (infra/build.ts), the vitest plugin (vitest.config.ts) and the Node hook (infra/lua-hook.ts).
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const INCLUDE = /^--- @include "([\w./-]+)"$/gm;

/** The script's text; a line `--- @include "x.lua"` is replaced by that file, found beside the including one. */
export function readLua(file: string): string {
  return readFileSync(file, 'utf8').replace(INCLUDE, (_line, name: string) =>
    readLua(resolve(dirname(file), name)).trimEnd(),
  );
}
