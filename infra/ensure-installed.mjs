// Installs the dependencies of package-lock.json when they are missing or of another lock file. Plain Node, no dependency:
// it runs before every npm script that needs them (`pre…` in package.json).
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = `${root}node_modules/.riptide-installed`;
const wanted = createHash('sha256')
  .update(readFileSync(`${root}package-lock.json`))
  .digest('hex');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  console.log('Installing dependencies; the first time takes about half a minute …');
  // Not `npm ci`: a registry may lack the packages of other platforms, which `ci` demands and `install` leaves out.
  // With --no-save the lock file decides every version and stays as it is.
  const { status } = spawnSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) {
    console.error('npm install failed. Check that the npm registry is reached, then run the command again.');
    process.exit(status ?? 1);
  }
  writeFileSync(stamp, wanted);
}
