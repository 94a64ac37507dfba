/** Bundles one function: one file that starts quickly, and chunks that are loaded when first needed. */
import { relative } from 'node:path';
import { type BuildResult, build, type Plugin } from 'esbuild';
import type { BundleEntry } from './deployed-functions.ts';
import {
  ADDON_INPUT,
  lazyHttp,
  luaAsText,
  nativeAddon,
  noDescriptions,
  noJsonSchema,
  pureBindings,
  SHARED_ENTRY,
  sharedEntry,
} from './esbuild-plugins.ts';
import { mergeChunks } from './merge-chunks.ts';

export interface Bundle {
  /** File name -> content. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** JavaScript bytes that a cold start reads: index.js. */
  readonly eagerBytes: number;
  /** Whether the bundle loads lz4's native addon. */
  readonly needsAddon: boolean;
}

// Packages in CommonJS ask for `require`, which a module does not have.
const REQUIRE =
  "import { createRequire as riptideRequire } from 'node:module'; const require = riptideRequire(import.meta.url);";

/**
 * @param root of the repository; no path outside it gets into the output, so the same sources give the same bytes.
 * @throws {BuildFailure} of esbuild: it does not compile.
 */
export async function bundle(root: string, entry: BundleEntry): Promise<Bundle> {
  const outdir = `${root}/dist/bundle`;
  const result = await build({
    absWorkingDir: root,
    entryPoints: { index: 'source' in entry ? entry.source : SHARED_ENTRY },
    outdir,
    bundle: true,
    // Where node_modules really lies must not show in the output.
    preserveSymlinks: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    chunkNames: '[name]-[hash]',
    legalComments: 'none',
    plugins: [...pluginsFor(root, entry)],
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  return describe(result, outdir);
}

function pluginsFor(root: string, entry: BundleEntry): readonly Plugin[] {
  const sources = 'routes' in entry ? Object.values(entry.routes) : [entry.source];
  return [
    luaAsText,
    nativeAddon,
    lazyHttp,
    pureBindings,
    ...(sources.some((source) => source.startsWith('functions/docs/')) ? [] : [noJsonSchema, noDescriptions]),
    ...('routes' in entry ? [sharedEntry(root, entry.routes)] : []),
  ];
}

async function describe(result: BuildResult<{ write: false; metafile: true }>, outdir: string): Promise<Bundle> {
  const { outputs, inputs } = result.metafile;
  const chunks = new Map(result.outputFiles.map(({ path, text }) => [relative(outdir, path), nameErrors(text)]));
  const files = new Map([...(await mergeChunks(chunks, outputs))].map(([name, text]) => [name, withRequire(text)]));
  return { files, eagerBytes: files.get('index.js')?.length ?? 0, needsAddon: ADDON_INPUT in inputs };
}

const withRequire = (text: string): Uint8Array => Buffer.from(/\brequire\b/.test(text) ? `${REQUIRE}\n${text}` : text);

/** `var LostError = class extends Error {`, or `class LostError extends Error {` inside of a function. */
const ERROR_CLASS =
  /^( *)(?:(?:var|let|const) ([\w$]+) = class(?: [\w$]+)?|(?:[\w$]+ = )?class ([\w$]+)) extends [\w$.]*Error\w* \{$/gm;

/**
 * Minified classes lose their names; those of errors are part of the log. esbuild's `keepNames` would name a thousand
 * functions as well: 16 KB and 2 ms of a cold start. A digit at the end is esbuild's own, to tell two of a name apart.
 */
const nameErrors = (text: string): string =>
  text.replace(ERROR_CLASS, (head: string, margin: string, outer?: string, inner?: string) => {
    const name = (outer ?? inner ?? '').replace(/^_+|\d+$/g, '');
    return `${head}\n${margin}  static name = ${JSON.stringify(name)};`;
  });
