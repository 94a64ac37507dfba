/** Many callers that miss the same key at once, in one process or in several: how often it is loaded. */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { runProcess } from '../child-process.ts';
import type { PeerOptions } from './peer.ts';
import type { PeerName } from './start-peers.ts';

const FILE = fileURLToPath(new URL('../processes/peer-misses.ts', import.meta.url));

export interface MissOptions extends PeerOptions {
  readonly processes: number;
  /** Of each process. */
  readonly callers: number;
}

/** Processes that begin together with a key nobody has. @returns the loads of all of them. */
export async function countLoads(name: PeerName, options: MissOptions): Promise<number> {
  const { redisUrl, layers, processes, callers } = options;
  const args = [name, redisUrl, layers, `miss-${randomUUID()}`, String(callers), String(processes)];
  const run = () => runProcess({ file: FILE, args }) as Promise<number>;
  const loads = await Promise.all(Array.from({ length: processes }, run));
  return loads.reduce((sum, count) => sum + count, 0);
}
