/** Redis over TCP, through ioredis: one node or a Cluster. For hosts and functions near their Redis. */
import type { RedisConfig } from '../config/config.ts';
import { OutcomeUnknownError, RedisUnavailableError } from '../errors.ts';
import { createClusterLink } from './cluster-link.ts';
import { wireBytes } from './command-size.ts';
import type { RedisCommand, RedisDriver, SendOptions } from './driver.ts';
import { inTrips, type SlotReply } from './pipeline.ts';
import { withRetries } from './retries.ts';
import { createTcpConnection, type TcpConnection } from './tcp-connection.ts';
import { createNodeLink } from './tcp-link.ts';
import { createTcpPool } from './tcp-pool.ts';
import { isFromRedis } from './transport-errors.ts';
import type { WaitLimits } from './waiting.ts';

export type TcpDriverConfig = Pick<
  RedisConfig,
  | 'url'
  | 'poolSize'
  | 'connectionTimeoutMs'
  | 'commandTimeoutMs'
  | 'clusterMode'
  | 'retryAttempts'
  | 'retryDelayMs'
  | 'enablePipelining'
  | 'maxPipelineSize'
>;

/**
 * A RedisDriver over ioredis. It connects on the first call and again whenever a call finds no connection, so nothing
 * runs between calls. With `clusterMode` there is one connection for each node, whatever `poolSize` says.
 */
export function createTcpDriver(config: TcpDriverConfig): RedisDriver {
  const pool = createTcpPool({
    size: config.clusterMode ? 1 : config.poolSize,
    open: () => createTcpConnection(config.clusterMode ? createClusterLink(config) : createNodeLink(config)),
  });
  return {
    send: (command, options) =>
      withRetries(config, options, (timeoutMs) => pool.pick().issue(command, { timeoutMs, signal: options.signal })),
    sendAll: (commands, options) =>
      inTrips({ ...config, bytesOf: wireBytes }, commands, options, (trip) =>
        withRetries(config, options, (timeoutMs) =>
          issueAll(pool.pick(), trip, { timeoutMs, signal: options.signal }, options.kind),
        ),
      ),
    async close() {
      pool.close();
    },
  };
}

/**
 * Issues the commands in one tick: they leave in one write to each node. When a part of them got no answer, a read
 * throws, to be tried again as a whole; a write keeps each command's own outcome in its place.
 */
async function issueAll(
  connection: TcpConnection,
  commands: readonly RedisCommand[],
  limits: WaitLimits,
  kind: SendOptions['kind'],
): Promise<readonly SlotReply[]> {
  const slots = await Promise.all(commands.map((command) => connection.issue(command, limits).catch(asSlot)));
  const failed = slots.filter(isTransportFailure);
  if (failed.length === 0) return slots;
  if (kind === 'read' || failed.length === slots.length) {
    throw failed.find((error) => error instanceof OutcomeUnknownError) ?? failed[0];
  }
  return slots;
}

function asSlot(error: unknown): Error {
  if (error instanceof Error) return error;
  throw error;
}

function isTransportFailure(slot: SlotReply): slot is Error {
  if (slot instanceof OutcomeUnknownError) return true;
  return slot instanceof RedisUnavailableError && !isFromRedis(slot);
}
