/** Builds functions: dist/<key>/ to run here, dist/<key>.zip for Lambda. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from './bundle.ts';
import type { DeployedFunction } from './deployed-functions.ts';
import { addonName } from './esbuild-plugins.ts';
import { entryBytes, withLambdaEntry } from './lambda-entry.ts';
import { findAddon } from './native-addon.ts';
import { zip } from './zip.ts';

/** As Lambda names them. */
export type Architecture = 'arm64' | 'x86_64';

/** A function to build. */
export type BuildFunction = Pick<DeployedFunction, 'key' | 'entry'>;

export interface BuildOptions {
  /** Of the repository. */
  readonly root: string;
  readonly outDir: string;
  readonly functions: readonly BuildFunction[];
  /** The CPU the zips are for. */
  readonly architecture: Architecture;
}

export interface BuiltFunction {
  readonly key: string;
  readonly dir: string;
  readonly zipFile: string;
  /** JavaScript a cold start reads. */
  readonly eagerBytes: number;
  /** All of the unpacked zip. */
  readonly totalBytes: number;
  readonly zipBytes: number;
}

type Files = Map<string, Uint8Array>;

/**
 * Builds each function into `outDir`. A folder there is replaced as a whole when its build has succeeded.
 * @throws {BuildFailure} of esbuild: a source does not compile. @throws {Error} an addon cannot be had.
 */
export async function buildFunctions(options: BuildOptions): Promise<readonly BuiltFunction[]> {
  mkdirSync(options.outDir, { recursive: true });
  return Promise.all(options.functions.map((entry) => buildFunction(entry, options)));
}

/** Removes what earlier builds left of functions that are no more. */
export function removeOthers(outDir: string, functions: readonly BuildFunction[]): void {
  const kept = new Set(functions.flatMap(({ key }) => [key, `${key}.zip`]));
  for (const name of readdirSync(outDir)) {
    if (!kept.has(name)) rmSync(join(outDir, name), { recursive: true, force: true });
  }
}

async function buildFunction({ key, entry }: BuildFunction, options: BuildOptions): Promise<BuiltFunction> {
  const { root, outDir, architecture } = options;
  const { eagerBytes: mainBytes, needsAddon, ...bundled } = await bundle(root, entry);
  const files = await withLambdaEntry(bundled.files);
  const eagerBytes = mainBytes + entryBytes(files);
  const common: Files = new Map(files).set('package.json', Buffer.from('{"type":"module"}\n'));
  const host: Files = needsAddon ? addonFiles(root, process.platform, process.arch) : new Map();
  const lambda: Files = needsAddon ? addonFiles(root, 'linux', architecture === 'arm64' ? 'arm64' : 'x64') : new Map();
  const deployed: Files = new Map([...common, ...lambda]);
  const zipped = await zip(deployed);
  const dir = join(outDir, key);
  const zipFile = `${dir}.zip`;
  // The folder holds both addons: it is run on this machine, and by `sam local` in a container of Lambda's CPU.
  replaceFolder(dir, new Map([...deployed, ...host]));
  writeFileSync(`${zipFile}.${process.pid}`, zipped);
  renameSync(`${zipFile}.${process.pid}`, zipFile);
  return { key, dir, zipFile, eagerBytes, totalBytes: sizeOf(deployed), zipBytes: zipped.length };
}

const addonFiles = (root: string, platform: string, arch: string): Files =>
  new Map([[addonName(platform, arch), readFileSync(findAddon(root, { platform, arch }))]]);

const sizeOf = (files: Files): number => [...files.values()].reduce((sum, content) => sum + content.length, 0);

function replaceFolder(dir: string, files: Files): void {
  const next = `${dir}.${process.pid}`;
  rmSync(next, { recursive: true, force: true });
  mkdirSync(next, { recursive: true });
  for (const [name, content] of files) writeFileSync(join(next, name), content);
  rmSync(dir, { recursive: true, force: true });
  renameSync(next, dir);
}
