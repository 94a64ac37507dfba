/** Many callers in several processes that miss one entry at once: how often it is loaded, and by how many at a time. */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { runProcess } from '../child-process.ts';
import { atMost, rowOf } from '../row.ts';
import type { Suite } from '../suite.ts';

const FILE = fileURLToPath(new URL('../processes/our-misses.ts', import.meta.url));
const PROCESSES = 4;
const CALLERS = 1_000;

interface Misses {
  /** Of one process. */
  readonly loads: number;
  /** Of all processes. */
  readonly together: number;
}

export const cacheStampede: Suite = {
  name: 'cache-stampede',
  async run({ apiKey, env }) {
    const args = [apiKey, `bench/miss-${randomUUID()}`, String(CALLERS), String(PROCESSES)];
    const run = () => runProcess({ file: FILE, args, env: env.tcp }) as Promise<Misses>;
    const misses = await Promise.all(Array.from({ length: PROCESSES }, run));
    const loads = misses.reduce((sum, one) => sum + one.loads, 0);
    const together = Math.max(...misses.map((one) => one.together));
    const facts = { layer: 'lib', unit: 'calls', reach: atMost(1) } as const;
    const who = `${PROCESSES} processes miss a key, ${CALLERS.toLocaleString('en')} callers each`;
    return [
      rowOf({ ...facts, id: 'cache-stampede-loads', what: `Loads when ${who}`, detail: 'a load of 500 ms' }, [loads]),
      rowOf({ ...facts, id: 'cache-stampede-holders', what: `Loads at one time when ${who}`, detail: 'by lease' }, [
        together,
      ]),
    ];
  },
};
