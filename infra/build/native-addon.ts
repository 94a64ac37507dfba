/**
 * Finds the native addon of lz4-napi for a platform. npm installs only the host's; Lambda's arm64 one is fetched with
 * `npm pack`, at the version and integrity of package-lock.json, and kept in .cache/ for the next build.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface AddonTarget {
  /** As `process.platform` says it. */
  readonly platform: string;
  /** As `process.arch` says it. */
  readonly arch: string;
}

interface AddonPackage {
  /** Its folder, from the root of the repository. */
  readonly folder: string;
  readonly name: string;
  readonly file: string;
  readonly version: string;
  readonly integrity: string;
}

/**
 * The path of the addon for `target`.
 * @param root of the repository: its package-lock.json, node_modules and .cache are used.
 * @throws {Error} no such addon exists, or it is not installed and cannot be fetched.
 */
export function findAddon(root: string, target: AddonTarget): string {
  const candidates = lockedPackages(root, target);
  const installed = candidates.map((addon) => join(root, addon.folder, addon.file)).find((path) => existsSync(path));
  if (installed !== undefined) return installed;
  const [addon] = candidates;
  if (addon === undefined) throw new Error(`lz4-napi has no addon for ${target.platform} ${target.arch}`);
  const kept = join(root, '.cache/addons', `${addon.version}-${addon.file}`);
  if (!existsSync(kept)) fetchAddon(addon, kept);
  return kept;
}

/** What package-lock.json says of the target's packages; on Linux Lambda's libc (glibc) comes first. */
function lockedPackages(root: string, { platform, arch }: AddonTarget): readonly AddonPackage[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; integrity: string } | undefined>;
  };
  return ['-gnu', '-musl', '-msvc', ''].flatMap((libc) => {
    const name = `@antoniomuso/lz4-napi-${platform}-${arch}${libc}`;
    const locked = lock.packages[`node_modules/${name}`];
    if (locked === undefined) return [];
    const { version, integrity } = locked;
    return [
      { folder: `node_modules/${name}`, name, file: `lz4-napi.${platform}-${arch}${libc}.node`, version, integrity },
    ];
  });
}

function fetchAddon(addon: AddonPackage, target: string): void {
  const scratch = mkdtempSync(join(tmpdir(), 'riptide-addon-'));
  try {
    const archive = join(scratch, packAddon(addon, scratch));
    const digest = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (digest !== addon.integrity)
      throw new Error(`${addon.name} ${addon.version} is not what package-lock.json names`);
    execFileSync('tar', ['-xzf', archive, '-C', scratch]);
    mkdirSync(dirname(target), { recursive: true });
    // Renamed at the end, so that a build beside this one sees the whole file or none.
    copyFileSync(join(scratch, 'package', addon.file), `${target}.${process.pid}`);
    renameSync(`${target}.${process.pid}`, target);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function packAddon({ name, version }: AddonPackage, folder: string): string {
  try {
    const args = ['pack', `${name}@${version}`, '--json', '--prefer-offline', '--pack-destination', folder];
    const [packed] = JSON.parse(
      execFileSync('npm', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
    );
    return packed.filename;
  } catch (cause) {
    throw new Error(
      `Lambda needs ${name} ${version}, which npm does not install on this machine and could not be fetched. ` +
        'Build once with the npm registry in reach (it is kept in .cache/), or for the CPU at hand: RIPTIDE_ARCH=x86_64 or arm64.',
      { cause },
    );
  }
}
