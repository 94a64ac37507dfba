/** What the TCP driver promises on a Cluster that changes under it: slots on the move, connections closed. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pollUntil } from '../../infra/local/redis/poll-until.ts';
import { type RunningCluster, startCluster } from '../../infra/local/redis/start-cluster.ts';
import { OutcomeUnknownError, RedisUnavailableError } from '../../lib/errors.ts';
import type { RedisCommand, RedisDriver } from '../../lib/redis/driver.ts';
import { createTcpDriver } from '../../lib/redis/tcp-driver.ts';
import { driverSettings, READ, WRITE } from '../support/driver-settings.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';

const settings = driverSettings({ connectionTimeoutMs: 2_000, commandTimeoutMs: 2_000 });

interface Node {
  readonly id: string;
  readonly driver: RedisDriver;
}

let dir: string;
let cluster: RunningCluster;
let nodes: readonly Node[];
let driver: RedisDriver;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redis-cluster-test-'));
  cluster = await startCluster({ dir });
  driver = createTcpDriver({ ...settings, url: cluster.url, clusterMode: true });
  nodes = await Promise.all(
    cluster.nodes.map(async ({ port }) => {
      const own = createTcpDriver({ ...settings, url: `redis://127.0.0.1:${port}`, clusterMode: false });
      return { id: String(await own.send(['CLUSTER', 'MYID'], READ)), driver: own };
    }),
  );
});
afterAll(async () => {
  await driver.close();
  await Promise.all(nodes.map((node) => node.driver.close()));
  await cluster.stop();
  await rm(dir, { recursive: true, force: true });
});

/** The node that holds a slot, and another one. */
async function owners(slot: number): Promise<{ from: Node; to: Node }> {
  const replies = await Promise.all(nodes.map((node) => node.driver.send(['CLUSTER', 'COUNTKEYSINSLOT', slot], READ)));
  const index = replies.findIndex((keys) => Number(keys) > 0);
  const [from, to] = [nodes[index], nodes[(index + 1) % nodes.length]];
  if (from === undefined || to === undefined) throw new Error(`No node has keys in slot ${slot}`);
  return { from, to };
}

async function slotOf(key: string): Promise<number> {
  return Number(await nodes[0]?.driver.send(['CLUSTER', 'KEYSLOT', key], READ));
}

async function beginMove(slot: number, { from, to }: { from: Node; to: Node }): Promise<void> {
  await to.driver.send(['CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id], WRITE);
  await from.driver.send(['CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id], WRITE);
}

async function moveKey(key: string, { from, to }: { from: Node; to: Node }): Promise<void> {
  const { port } = cluster.nodes[nodes.indexOf(to)] ?? { port: 0 };
  await from.driver.send(['MIGRATE', '127.0.0.1', port, key, 0, 1_000], WRITE);
}

async function endMove(slot: number, { from, to }: { from: Node; to: Node }): Promise<void> {
  for (const node of [to, from]) await node.driver.send(['CLUSTER', 'SETSLOT', slot, 'NODE', to.id], WRITE);
}

/** The first node has slots 0 to 5460. */
const SLOTS_OF_FIRST_NODE = 5461;

async function keyBelow(endSlot: number): Promise<string> {
  for (;;) {
    const key = `cluster:${randomBytes(4).toString('hex')}`;
    if ((await slotOf(key)) < endSlot) return key;
  }
}

/** Makes every node send clients of `node` to another port; 0: to its own. */
async function announcePort(node: Node, port: number): Promise<void> {
  const shown = port === 0 ? (cluster.nodes[nodes.indexOf(node)]?.port ?? 0) : port;
  await node.driver.send(['CONFIG', 'SET', 'cluster-announce-port', port], WRITE);
  const isKnown = async () => {
    const slots = await Promise.all(nodes.map((each) => each.driver.send(['CLUSTER', 'SLOTS'], READ)));
    return slots.every((reply) => JSON.stringify(reply).includes(`,${shown},"${node.id}"`));
  };
  expect(await pollUntil(isKnown, 10_000)).toBe(true);
}

const SUM = "return redis.call('INCR', KEYS[1]) + redis.call('INCR', KEYS[2])";

describe('tcp driver on a Cluster [G1]', () => {
  it('follows a slot while it moves and after it has moved, and counts each write once', async () => {
    const tag = randomBytes(4).toString('hex');
    const [old, fresh] = [`{${tag}}:old`, `{${tag}}:fresh`];
    await driver.send(['INCR', old], WRITE);
    const slot = await slotOf(old);
    const move = await owners(slot);
    await beginMove(slot, move);
    expect(await driver.send(['INCR', fresh], WRITE)).toBe(1);
    expect(await driver.send(['INCR', old], WRITE)).toBe(2);
    await moveKey(old, move);
    expect(await driver.send(['INCR', old], WRITE)).toBe(3);
    await endMove(slot, move);
    expect(
      await driver.sendAll(
        [
          ['INCR', old],
          ['INCR', fresh],
        ],
        WRITE,
      ),
    ).toEqual([4, 2]); // both on the new node
  });

  /** Two keys of one slot, the first moved to another node and the second not yet. */
  const halfMoved = async () => {
    const tag = randomBytes(4).toString('hex');
    const keys = [`{${tag}}:a`, `{${tag}}:b`] as const;
    for (const key of keys) await driver.send(['INCR', key], WRITE);
    const slot = await slotOf(keys[0]);
    const move = await owners(slot);
    await beginMove(slot, move);
    await moveKey(keys[0], move);
    const end = async () => {
      await moveKey(keys[1], move);
      await endMove(slot, move);
    };
    return { keys, end };
  };

  it('waits for a slot whose keys are on two nodes, and then runs the script once', async () => {
    const { keys, end } = await halfMoved();
    const summed = driver.send(['EVAL', SUM, 2, ...keys], WRITE);
    await end();
    expect(await summed).toBe(4);
  });

  it('says unavailable when such a move does not end in time', async () => {
    const { keys, end } = await halfMoved();
    // Few tries, so that time runs out between two of them: within one, nobody could say that nothing was changed.
    const patient = createTcpDriver({ ...settings, retryDelayMs: 700, url: cluster.url, clusterMode: true });
    const startedAt = performance.now();
    await expect(patient.send(['EVAL', SUM, 2, ...keys], WRITE)).rejects.toBeInstanceOf(RedisUnavailableError);
    expect(performance.now() - startedAt).toBeLessThan(settings.commandTimeoutMs + 500);
    await patient.close();
    await end();
    expect(await driver.send(['EVAL', SUM, 2, ...keys], WRITE)).toBe(4);
  });

  it('says "outcome unknown" when a node\'s reply to a write is lost, and never sends it again', async () => {
    const first = nodes[0] as Node;
    const proxy = await startFaultProxy({ targetPort: cluster.nodes[0]?.port ?? 0 });
    await announcePort(first, proxy.port);
    const through = createTcpDriver({ ...settings, url: cluster.url, clusterMode: true });
    try {
      const key = await keyBelow(SLOTS_OF_FIRST_NODE);
      await through.send(['GET', key], READ);
      expect(proxy.connections).toBeGreaterThan(0);
      proxy.loseNextReply();
      await expect(through.send(['INCR', key], WRITE)).rejects.toBeInstanceOf(OutcomeUnknownError);
      expect(await through.send(['GET', key], READ)).toBe('1');
      proxy.loseNextReply();
      expect(await through.send(['GET', key], READ)).toBe('1');
    } finally {
      await through.close();
      await announcePort(first, 0);
      await proxy.stop();
    }
  });

  it('carries on when every node closes its connections, and counts every answered write once', async () => {
    const keys = Array.from({ length: 12 }, () => `cluster:${randomBytes(4).toString('hex')}`);
    const [answered, unknown] = [new Map<string, number>(), new Map<string, number>()];
    const add = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
    let running = true;
    let total = 0;
    const caller = async (key: string) => {
      while (running) {
        await driver.send(['INCR', key], WRITE).then(
          () => {
            total++;
            add(answered, key);
          },
          (error: unknown) => {
            if (error instanceof OutcomeUnknownError) add(unknown, key);
            else if (!(error instanceof RedisUnavailableError)) throw error;
          },
        );
      }
    };
    const callers = keys.map(caller);
    for (let kills = 1; kills <= 4; kills++) {
      const before = total;
      expect(await pollUntil(() => total > before + 50, 5_000)).toBe(true);
      await Promise.all(nodes.map((node) => node.driver.send(['CLIENT', 'KILL', 'TYPE', 'normal'], WRITE)));
    }
    running = false;
    await Promise.all(callers);
    const counted = await driver.sendAll(
      keys.map((key): RedisCommand => ['GET', key]),
      READ,
    );
    keys.forEach((key, i) => {
      expect(Number(counted[i])).toBeGreaterThanOrEqual(answered.get(key) ?? 0);
      expect(Number(counted[i])).toBeLessThanOrEqual((answered.get(key) ?? 0) + (unknown.get(key) ?? 0));
    });
  });
});
