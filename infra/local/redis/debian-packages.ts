/** Debian packages as files, fetched with apt-get by any user. Its lists and cache stay in a folder of ours. */
import { execFile } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const TIMEOUT_MS = 120_000;
/** On every Debian, and unpacking another one beside the machine's own would break the program. */
const ALWAYS_THERE = new Set(['libc6', 'libgcc-s1']);

export interface PackageSource {
  /** Downloads packages; the paths of the archives. @throws {Error} apt-get is missing or cannot get them. */
  download(names: readonly string[]): Promise<string[]>;
  /** Names of the libraries that packages downloaded before depend on and this machine has not installed. */
  librariesNeededBy(names: ReadonlySet<string>): Promise<string[]>;
}

/** Packages for this machine's release, downloaded below `dir`. */
export function createPackageSource(dir: string): PackageSource {
  const archives = join(dir, 'archives');
  const privateState = [`Dir::State::lists=${dir}/lists`, `Dir::Cache=${dir}/apt-cache`];
  let settings: readonly string[] = [];

  async function aptGet(args: readonly string[]): Promise<void> {
    // The sandbox user of apt cannot write into a folder of ours; as another user than root the setting is idle.
    const fixed = ['APT::Sandbox::User=root', 'Acquire::Retries=2', 'Acquire::http::Timeout=20'];
    const options = [...fixed, ...settings].flatMap((setting) => ['-o', setting]);
    await mkdir(archives, { recursive: true });
    await run('apt-get', ['-q', ...options, ...args], { cwd: archives, timeout: TIMEOUT_MS });
  }

  /** The machine's lists may be missing (a fresh container) or older than the archive: fetch own ones, once. */
  async function updateLists(): Promise<void> {
    settings = privateState;
    await mkdir(join(dir, 'lists/partial'), { recursive: true });
    await mkdir(join(dir, 'apt-cache/archives/partial'), { recursive: true });
    // One dead source of several fails the update as a whole; the download tells whether the one we need was read.
    await aptGet(['update']).catch(() => {});
  }

  return {
    async download(names) {
      try {
        await aptGet(['download', ...names]);
      } catch (error) {
        if (settings.length > 0 || isMissingProgram(error)) throw error;
        await updateLists();
        await aptGet(['download', ...names]);
      }
      return archivesOf(archives, names);
    },

    async librariesNeededBy(names) {
      const found = new Set<string>();
      for (const archive of await archivesOf(archives, [...names])) {
        const { stdout } = await run('dpkg-deb', ['-f', archive, 'Depends']);
        for (const name of libraryNames(stdout)) found.add(name);
      }
      const absent = await Promise.all([...found].map(async (name) => ((await isInstalled(name)) ? [] : [name])));
      return absent.flat();
    },
  };
}

async function archivesOf(dir: string, names: readonly string[]): Promise<string[]> {
  const files = await readdir(dir);
  return files
    .filter((file) => file.endsWith('.deb') && names.includes(file.slice(0, file.indexOf('_'))))
    .map((file) => join(dir, file));
}

async function isInstalled(name: string): Promise<boolean> {
  return run('dpkg-query', ['-s', name]).then(
    ({ stdout }) => /^Status: .* installed$/m.test(stdout),
    () => false,
  );
}

/** `libssl3 (>= 3.0), liblzf1 | liblzf2, adduser` → `libssl3`, `liblzf1`. */
function libraryNames(depends: string): string[] {
  const names = depends.split(',').map((entry) => /^\s*([a-z0-9+.-]+)/.exec(entry)?.[1] ?? '');
  return names.filter((name) => name.startsWith('lib') && !ALWAYS_THERE.has(name));
}

function isMissingProgram(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
