/** Unpacks Debian's redis-server and the libraries it lacks into one folder: no root, no change to the machine. */
import { execFile } from 'node:child_process';
import { glob, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createPackageSource, type PackageSource } from './debian-packages.ts';

const run = promisify(execFile);
/** redis-tools holds the program; redis-server is the link to it. */
const PACKAGES = ['redis-server', 'redis-tools'];
/** A library's own libraries, and theirs: more rounds than this mean something else is wrong. */
const MAX_ROUNDS = 4;

export interface UnpackedServer {
  readonly path: string;
  readonly libraryPath: string;
}

interface UnpackOptions {
  /** Holds one folder for each kind of machine, so a shared checkout serves several. */
  readonly dir: string;
  readonly isUsable: (server: UnpackedServer) => Promise<boolean>;
  /** Told before the download, which takes seconds. */
  readonly onUnpack?: (() => void) | undefined;
}

/**
 * The server below `dir`, unpacked now when it is not there yet or does not run. It is complete before it gets its
 * name, so a run beside this one sees all of it or nothing.
 * @throws {Error} apt-get or dpkg-deb is missing, the packages cannot be had, or what they hold does not run.
 */
export async function unpackDebianRedis({ dir, isUsable, onUnpack }: UnpackOptions): Promise<UnpackedServer> {
  const home = join(dir, `${process.platform}-${process.arch}`);
  const before = await describeServer(home);
  if (await isUsable(before)) return before;
  onUnpack?.();
  await mkdir(dir, { recursive: true });
  const draft = await mkdtemp(join(dir, 'unpacking-'));
  try {
    await unpackInto(draft);
    await publish({ draft, home, isUsable });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  const server = await describeServer(home);
  if (!(await isUsable(server))) throw new Error(`the unpacked ${server.path} does not run`);
  return server;
}

/** Renames the draft; when another run was first, its result stays, unless it is broken. */
async function publish({ draft, home, isUsable }: { draft: string; home: string } & Pick<UnpackOptions, 'isUsable'>) {
  const root = join(draft, 'root');
  try {
    await rename(root, home);
  } catch (error) {
    if (await isUsable(await describeServer(home))) return;
    await rename(home, join(draft, 'broken')).catch(() => {
      throw error;
    });
    await rename(root, home);
  }
}

async function unpackInto(draft: string): Promise<void> {
  const source = createPackageSource(draft);
  const root = join(draft, 'root');
  const done = new Set<string>();
  await unpackPackages({ source, names: PACKAGES, root, done });
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const server = await describeServer(root);
    if ((await missingLibraries(server)).length === 0) return;
    const names = await source.librariesNeededBy(done);
    await unpackPackages({ source, names: names.filter((name) => !done.has(name)), root, done });
  }
  throw new Error(`libraries are missing: ${(await missingLibraries(await describeServer(root))).join(', ')}`);
}

async function unpackPackages(work: { source: PackageSource; names: string[]; root: string; done: Set<string> }) {
  for (const archive of await work.source.download(work.names)) await run('dpkg-deb', ['-x', archive, work.root]);
  for (const name of work.names) work.done.add(name);
}

async function missingLibraries({ path, libraryPath }: UnpackedServer): Promise<string[]> {
  const env = { ...process.env, LD_LIBRARY_PATH: libraryPath };
  const { stdout } = await run('ldd', [path], { env });
  return [...stdout.matchAll(/^\s*(\S+) => not found/gm)].map(([, name]) => name ?? '');
}

async function describeServer(root: string): Promise<UnpackedServer> {
  const folders: string[] = [];
  for await (const folder of glob('{usr/lib,lib}/*-linux-gnu*', { cwd: root })) folders.push(join(root, folder));
  return { path: join(root, 'usr/bin/redis-server'), libraryPath: folders.join(':') };
}
