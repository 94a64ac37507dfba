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

/** A script in its parts: text, and the includes between them by their path as it is written, as `./includes/x.lua`. */
export type LuaPart = { readonly text: string } | { readonly include: string };

/** The parts of one file; what {@link readLua} gives is they, in order, the includes read in the same way. */
export function luaParts(file: string): readonly LuaPart[] {
  const pieces = readFileSync(file, 'utf8').split(INCLUDE);
  // Between two texts stands what the pattern has captured.
  return pieces.map((piece, i) => (i % 2 === 0 ? { text: piece } : { include: `./${piece}` }));
}
