/** What Lambda loads before the first read: bytes, and the time of importing them in a fresh process. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildFunctions } from '../../../infra/build/build-functions.ts';
import { runProcess } from '../child-process.ts';
import { measureRounds } from '../rounds.ts';
import { atMost, rowOf } from '../row.ts';
import { median, ratiosOf } from '../statistics.ts';
import type { Suite } from '../suite.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FILE = fileURLToPath(new URL('../processes/import-module.ts', import.meta.url));
const READ = { key: 'read', entry: { source: 'functions/cache/get-entry.ts' } };
const BARE = { key: 'bare', entry: { source: 'test/bench/bare-handler.ts' } };
const KB = 1000;

export const coldStart: Suite = {
  name: 'cold-start',
  async run() {
    const outDir = await mkdtemp(join(tmpdir(), 'riptide-bench-build-'));
    try {
      return await measureBuild(outDir);
    } finally {
      await rm(outDir, { recursive: true, force: true });
    }
  },
};

async function measureBuild(outDir: string) {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'x86_64';
  const built = await buildFunctions({ root: ROOT, outDir, functions: [READ, BARE], architecture });
  const [readBytes = 0, bareBytes = 0] = built.map(({ eagerBytes }) => eagerBytes);
  const module = (key: string) => join(outDir, key, 'index.js');
  const times = await measureRounds({ read: module('read'), bare: module('bare') }, { rounds: 9 }, importTime);
  return [
    rowOf(
      {
        id: 'read-bundle',
        layer: 'build',
        what: 'JavaScript a cold start of the cache-read function loads',
        reach: atMost(250),
        unit: 'KB',
        detail: `bare middy + Logger: ${(bareBytes / KB).toFixed(0)} KB`,
      },
      [readBytes / KB],
    ),
    rowOf(
      {
        id: 'read-cold-import',
        layer: 'build',
        what: 'its import vs a bare middy + Logger handler, fresh processes',
        reach: atMost(3),
        unit: '×',
        detail: `${median(times.read).toFixed(1)} vs ${median(times.bare).toFixed(1)} ms`,
      },
      ratiosOf(times.read, times.bare),
    ),
  ];
}

const importTime = async (module: string): Promise<number> =>
  (await runProcess({ file: FILE, args: [module] })) as number;
