/** Three Redis masters as a real Cluster on the loopback, for the suites that must hold on Cluster too. */
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { LocalServiceError } from '../../../lib/errors.ts';
import { askRedis, type RedisAddress } from './ask-redis.ts';
import { freePort } from './free-port.ts';
import { pollUntil } from './poll-until.ts';
import { type RunningRedis, startRedis } from './start-redis.ts';

const SLOT_RANGES = [
  [0, 5460],
  [5461, 10922],
  [10923, 16383],
] as const;
const READY_DEADLINE_MS = 20_000;

export interface RunningCluster {
  readonly nodes: readonly RedisAddress[];
  /** Address of the first node; the client finds the others. */
  readonly url: string;
  stop(): Promise<void>;
}

interface Node extends RunningRedis {
  readonly busPort: number;
}

/**
 * Starts the nodes, shares out the slots and waits until every node sees all three. Nothing is kept: `dir` must be new.
 * @throws {LocalServiceError} a node did not start, or they did not find each other within 20 s.
 */
export async function startCluster({ dir }: { readonly dir: string }): Promise<RunningCluster> {
  const started = await Promise.allSettled(SLOT_RANGES.map((_range, i) => startNode(join(dir, `node-${i}`))));
  const nodes = started.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    for (const outcome of started) if (outcome.status === 'rejected') throw outcome.reason;
    await formCluster(nodes);
  } catch (error) {
    await stop();
    throw error;
  }
  return { nodes: nodes.map(({ host, port }) => ({ host, port })), url: nodes[0]?.url ?? '', stop };
}

/** The bus has a port of its own choosing: the usual one, 10,000 above, may be past 65,535. */
async function startNode(dir: string): Promise<Node> {
  const busPort = await freePort();
  const extraArgs = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--cluster-node-timeout', '2000'];
  const redis = await startRedis({ dir, appendonly: false, extraArgs });
  return { ...redis, busPort };
}

async function formCluster(nodes: readonly Node[]): Promise<void> {
  await Promise.all(nodes.map((node, i) => askRedis(node, (redis) => takeSlots(redis, i))));
  const [first, ...others] = nodes;
  if (first === undefined) return;
  for (const { host, port, busPort } of others) {
    await askRedis(first, (redis) => redis.call('CLUSTER', 'MEET', host, port, busPort));
  }
  const whole = async () => (await Promise.all(nodes.map(seesAll))).every(Boolean);
  if (!(await pollUntil(whole, READY_DEADLINE_MS)))
    throw new LocalServiceError('The cluster nodes did not find each other');
}

/** Each node gets an epoch of its own, or they would spend seconds agreeing on them. */
async function takeSlots(redis: Redis, index: number): Promise<void> {
  const [from, to] = SLOT_RANGES[index] ?? [];
  if (from === undefined || to === undefined) return;
  await redis.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
  await redis.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
}

async function seesAll(node: Node): Promise<boolean> {
  const info = String(await askRedis(node, (redis) => redis.call('CLUSTER', 'INFO')));
  return (
    info.includes('cluster_state:ok') &&
    info.includes('cluster_known_nodes:3') &&
    info.includes('cluster_slots_ok:16384')
  );
}
