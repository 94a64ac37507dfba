import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Verdict } from './verdict.ts';

export const RESULTS_FILE = fileURLToPath(new URL('./results/latest.json', import.meta.url));

/** What the figures depend on. */
export interface Machine {
  readonly node: string;
  readonly redis: string;
  readonly cores: number;
  readonly cpu: string;
}

export const machine = (redisInfo: string): Machine => ({
  node: process.version,
  redis: /^redis_version:(\S+)/m.exec(redisInfo)?.[1] ?? 'unknown',
  cores: availableParallelism(),
  cpu: cpus()[0]?.model ?? 'unknown',
});

/** Writes results/latest.json. */
export async function writeResults(results: {
  readonly machine: Machine;
  readonly runs: number;
  readonly seconds: number;
  readonly rows: readonly Verdict[];
}): Promise<void> {
  const json = JSON.stringify({ date: new Date().toISOString(), ...results }, null, 2);
  await mkdir(dirname(RESULTS_FILE), { recursive: true });
  await writeFile(RESULTS_FILE, `${json}\n`);
}
