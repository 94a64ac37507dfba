/** Bundles one function: an entry that starts quickly, and chunks that are loaded when first needed. */

import { relative } from 'node:path';
import { type BuildResult, build, type Metafile, type OutputFile } from 'esbuild';
import { ADDON_INPUT, lazyHttp, luaAsText, nativeAddon } from './esbuild-plugins.ts';

export interface Bundle {
  /** File name -> content. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** JavaScript bytes that a cold start reads: index.js and all it imports statically. */
  readonly eagerBytes: number;
  /** Whether the bundle loads lz4's native addon. */
  readonly needsAddon: boolean;
}

// Packages in CommonJS ask for `require`, which a module does not have.
const REQUIRE =
  "import { createRequire as riptideRequire } from 'node:module'; const require = riptideRequire(import.meta.url);";

/**
 * @param root of the repository; no path outside it gets into the output, so the same sources give the same bytes.
 * @param source of the function, from the root.
 * @throws {BuildFailure} of esbuild: it does not compile.
 */
export async function bundle(root: string, source: string): Promise<Bundle> {
  const outdir = `${root}/dist/bundle`;
  const result = await build({
    absWorkingDir: root,
    entryPoints: { index: source },
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
    minify: true,
    // The names of errors are part of the log; see nameErrorsOnly.
    keepNames: true,
    legalComments: 'none',
    banner: { js: REQUIRE },
    plugins: [luaAsText, nativeAddon, lazyHttp],
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  return describe(result, outdir, root);
}

function describe(result: BuildResult<{ write: false; metafile: true }>, outdir: string, root: string): Bundle {
  const files = new Map(result.outputFiles.map((file) => [relative(outdir, file.path), nameErrorsOnly(file)] as const));
  const eager = eagerOutputs(result.metafile.outputs, relative(root, `${outdir}/index.js`));
  return {
    files,
    eagerBytes: [...eager].reduce((sum, path) => sum + (result.metafile.outputs[path]?.bytes ?? 0), 0),
    needsAddon: ADDON_INPUT in result.metafile.inputs,
  };
}

/** esbuild's helper behind `keepNames`, minified: `m=(a,b)=>e(a,"name",{value:b,configurable:!0})`. */
const NAME_HELPER = /(\((\w+),\w+\)=>)(\w+\(\2,"name",\{value:\w+,configurable:!0\}\))/;

/** Naming each of a thousand functions again is 6 ms of a cold start. Only errors are known by their names. */
function nameErrorsOnly({ path, text, contents }: OutputFile): Uint8Array {
  if (!path.endsWith('.js') || !NAME_HELPER.test(text)) return contents;
  return Buffer.from(text.replace(NAME_HELPER, '$1$2.prototype instanceof Error?$3:$2'));
}

/** The entry and every chunk it imports with an import statement, directly or through others. */
function eagerOutputs(outputs: Metafile['outputs'], entry: string): ReadonlySet<string> {
  const seen = new Set([entry]);
  for (const path of seen) {
    for (const imported of outputs[path]?.imports ?? []) {
      if (imported.kind === 'import-statement' && imported.path in outputs) seen.add(imported.path);
    }
  }
  return seen;
}
