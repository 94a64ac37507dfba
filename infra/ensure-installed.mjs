// Installs the dependencies of package-lock.json when they are missing or of another lock file. Plain Node, no dependency:
// it runs before every npm script that needs them (`pre…` in package.json).
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The first that runs TypeScript sources as they are, and the one Lambda has. */
const OLDEST_NODE = 24;

const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = `${root}node_modules/.riptide-installed`;
const lock = `${root}.cache/installing`;
const wanted = createHash('sha256')
  .update(readFileSync(`${root}package-lock.json`))
  .digest('hex');

const isInstalled = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;

if (!isInstalled()) {
  waitForLock();
  process.on('exit', () => rmSync(lock, { force: true }));
  // Another script may have installed everything while this one waited.
  if (!isInstalled()) install();
}
checkNode();

/** `npm start` beside `npm test` on a fresh clone: two installs at once would destroy each other's. */
function waitForLock() {
  mkdirSync(`${root}.cache`, { recursive: true });
  while (!takeLock()) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
}

function takeLock() {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (!isHeld()) rmSync(lock, { force: true });
    return false;
  }
}

/** An install stopped by Ctrl-C leaves its lock behind. */
function isHeld() {
  try {
    return process.kill(Number(readFileSync(lock, 'utf8')) || process.pid, 0);
  } catch {
    return false;
  }
}

/**
 * Not by `npm ci`: a registry may lack the packages of other platforms, which `ci` demands and `install` leaves out. With
 * --no-save the lock file decides every version, and stays as it is.
 */
function install() {
  console.log('Installing dependencies; the first time takes about half a minute …');
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync('npm', args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) fail('npm install failed. Check that the npm registry is reached, then run it again.', status);
  writeFileSync(stamp, wanted);
}

/** The npm scripts run on the Node among the dependencies; where there is none for this system, on the machine's own. */
function checkNode() {
  if (existsSync(`${root}node_modules/.bin/node`)) return;
  if (Number(process.versions.node.split('.')[0]) >= OLDEST_NODE) return;
  fail(`There is no packaged Node for ${process.platform}-${process.arch}: install Node ${OLDEST_NODE} or newer.`, 1);
}

function fail(message, status) {
  console.error(message);
  process.exit(status ?? 1);
}
