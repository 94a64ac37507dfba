/** A copy of the repository as a clone has it after `npm ci`, in a folder of its own. */
import { cpSync, existsSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const COPIED = [
  'functions',
  'lib',
  'infra',
  'events',
  'serverless.yml',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
];

/** @returns its path, and what removes it. Dependencies and fetched addons are those of this repository. */
export function cleanClone(): { readonly path: string; readonly remove: () => void } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'riptide-clone-')));
  for (const name of COPIED) cpSync(join(root, name), join(path, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(path, 'node_modules'));
  const addons = join(root, '.cache/addons');
  if (existsSync(addons)) cpSync(addons, join(path, '.cache/addons'), { recursive: true });
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
