/**
 * What esbuild does not know by itself: Lua scripts, the native addon, a builtin that is slow to import, and functions that
 * several endpoints share.
 */
import { readFileSync } from 'node:fs';
import type { Plugin } from 'esbuild';
import { luaParts } from '../lua-source.ts';
import { stripLua } from './strip-lua.ts';

/**
 * Imports a `.lua` file as its text, comments left out. Includes are modules of their own, put in their places when the
 * script is loaded: many scripts have the same ones, and a cold start reads each once.
 */
export const luaAsText: Plugin = {
  name: 'lua-as-text',
  setup(build) {
    build.onLoad({ filter: /\.lua$/ }, ({ path }) => ({ contents: luaModule(path), loader: 'js' }));
  },
};

/** A module whose default export is the script: `stripLua(readLua(file))`. */
export function luaModule(file: string): string {
  const imports: string[] = [];
  const parts = luaParts(file).flatMap((part) => {
    if ('text' in part) {
      const text = stripLua(part.text);
      return text === '' ? [] : [JSON.stringify(text)];
    }
    imports.push(`import part${imports.length} from ${JSON.stringify(part.include)};`);
    return [`part${imports.length - 1}`];
  });
  // Pure: a bundle leaves out the script it does not run.
  return `${imports.join('\n')}\nexport default /* @__PURE__ */ [${parts.join(',')}].join('\\n');`;
}

/** Says of every binding of a script what esbuild cannot know: defining one does nothing else. */
export const pureBindings: Plugin = {
  name: 'pure-bindings',
  setup(build) {
    build.onLoad({ filter: /[\\/]lib[\\/]redis[\\/]bindings[\\/][\w-]+\.ts$/ }, ({ path }) => ({
      contents: pureBinding(readFileSync(path, 'utf8')),
      loader: 'ts',
    }));
  },
};

/** So a bundle leaves out the bindings that its code does not name, and their scripts. */
export function pureBinding(text: string): string {
  return text
    .replaceAll('= defineScript(', '= /* @__PURE__ */ defineScript(')
    .replace(/\[\.\.\.GATE_ARGS\b,?([^\]]*)\]/g, '/* @__PURE__ */ GATE_ARGS.concat($1)');
}

/** Contracts, and the groups of settings. */
const DESCRIBED = /[\\/]lib[\\/](?:config[\\/]groups[\\/][\w-]+|[\w\\/-]*contract)\.ts$/;

/** What a setting or a field means is said for the documentation alone: a cold start need not read it. */
export const noDescriptions: Plugin = {
  name: 'no-descriptions',
  setup(build) {
    build.onLoad({ filter: DESCRIBED }, ({ path }) => ({
      contents: withoutDescriptions(readFileSync(path, 'utf8')),
      loader: 'ts',
    }));
  },
};

const TEXT = String.raw`\s*'(?:[^'\\\n]|\\.)*'(?:\s*\+\s*'(?:[^'\\\n]|\\.)*')*,?`;

/** Settings without `about`, schemas without `describe`, contracts that say nothing of themselves and of headers. */
export function withoutDescriptions(text: string): string {
  return text
    .replace(new RegExp(String.raw`\babout:${TEXT}`, 'g'), '')
    .replace(new RegExp(String.raw`\.describe\(${TEXT}\s*\)`, 'g'), '')
    .replace(new RegExp(String.raw`'(riptide-[\w-]+)':${TEXT}`, 'g'), "'$1': '',")
    .replace(new RegExp(String.raw`\b(summary|description):${TEXT}`, 'g'), "$1: '',");
}

/** How zod tells its schemas as JSON Schema: 16 KB that only the OpenAPI document needs. */
const JSON_SCHEMA = /[\\/]zod[\\/]v4[\\/]core[\\/](?:to-json-schema|json-schema-processors)\.js$/;

/** Leaves that out. What calls it all the same is told so when it does. */
export const noJsonSchema: Plugin = {
  name: 'no-json-schema',
  setup(build) {
    build.onLoad({ filter: JSON_SCHEMA }, ({ path }) => {
      const names = readFileSync(path, 'utf8').matchAll(/^export (?:function|const) (\w+)/gm);
      const absent = "const absent = () => { throw new Error('This bundle has no JSON Schema'); };";
      // Schemas call what makes a method before anybody calls the method.
      const given = [...names].map(([, name = '']) => `${name.startsWith('create') ? 'later' : 'absent'} as ${name}`);
      const exports = `export { ${given.join(', ')}, absent as process };`;
      return { contents: [absent, 'const later = () => absent;', exports].join('\n'), loader: 'js' };
    });
  },
};

/** The addon's file name beside the bundle. */
export const addonName = (platform: string, arch: string): string => `lz4-${platform}-${arch}.node`;

// The package's own loader tries 30 platforms, reads files and spawns processes to guess the libc; here one file is known.
const ADDON_LOADER = `
import { createRequire } from 'node:module';
const addon = createRequire(import.meta.url)('./lz4-' + process.platform + '-' + process.arch + '.node');
export default addon;
export const { compress, compressFrame, compressFrameSync, compressSync } = addon;
export const { decompressFrame, decompressFrameSync, uncompress, uncompressSync } = addon;
`;

/** Where the metafile says that a bundle needs the addon. */
export const ADDON_INPUT = 'native-addon:lz4-napi';

/** `lz4-napi` loads the addon that lies beside the bundle. */
export const nativeAddon: Plugin = {
  name: 'native-addon',
  setup(build) {
    build.onResolve({ filter: /^lz4-napi$/ }, ({ path }) => ({ path, namespace: 'native-addon' }));
    build.onLoad({ filter: /.*/, namespace: 'native-addon' }, () => ({ contents: ADDON_LOADER, loader: 'js' }));
  },
};

/**
 * Importing `node:http` as a module reads all its exports, and one of them loads all of undici: 15 ms of a cold start.
 * Taken as an object, only what is used is loaded.
 */
export const lazyHttp: Plugin = {
  name: 'lazy-http',
  setup(build) {
    build.onResolve({ filter: /^(node:)?https?$/ }, ({ path }) => ({
      path: path.replace(/^(node:)?/, 'node:'),
      namespace: 'lazy-http',
    }));
    build.onLoad({ filter: /.*/, namespace: 'lazy-http' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('${path}');`,
      loader: 'js',
    }));
  },
};

/** The entry of a function that several endpoints share. */
export const SHARED_ENTRY = 'riptide:shared-function';

/** Writes that entry: each endpoint's file is imported when its route is asked for the first time. */
export const sharedEntry = (root: string, routes: Readonly<Record<string, string>>): Plugin => ({
  name: 'shared-entry',
  setup(build) {
    build.onResolve({ filter: /^riptide:shared-function$/ }, ({ path }) => ({ path, namespace: 'shared-entry' }));
    build.onLoad({ filter: /.*/, namespace: 'shared-entry' }, () => ({
      contents: sharedEntryText(routes),
      loader: 'js',
      resolveDir: root,
    }));
  },
});

function sharedEntryText(routes: Readonly<Record<string, string>>): string {
  const endpoints = Object.entries(routes).map(
    ([route, source]) => `${JSON.stringify(route)}: () => import(${JSON.stringify(`./${source}`)}),`,
  );
  return [
    "import { sharedFunction } from './lib/http/shared-function.ts';",
    `export const handler = sharedFunction({ ${endpoints.join('\n')} });`,
  ].join('\n');
}
