/** The other side of every ratio: the clients the drivers are built on, with the same options, and nothing of ours. */
import { Redis as RestRedis } from '@upstash/redis';
import { Redis as TcpRedis } from 'ioredis';
import type { RedisConfig } from '../../lib/config/config.ts';
import { clientOptions } from '../../lib/redis/tcp-link.ts';

export interface RawClients {
  readonly tcp: TcpRedis;
  readonly rest: RestRedis;
  close(): Promise<void>;
}

/** One client of each kind, as a service without Riptide would hold them. */
export function createRawClients(config: { readonly tcp: RedisConfig; readonly rest: RedisConfig }): RawClients {
  const tcp = createRawTcp(config.tcp);
  return { tcp, rest: createRawRest(config.rest), close: async () => tcp.disconnect() };
}

/** The options of lib/redis/tcp-link.ts, and the same timeout; calls wait until it is connected. */
export const createRawTcp = (config: RedisConfig): TcpRedis =>
  new TcpRedis(config.url, { ...clientOptions(config), commandTimeout: config.commandTimeoutMs });

/**
 * The options of lib/redis/rest-requester.ts, and the same timeout for each command.
 * @param config with `enablePipelining` commands of one turn share a request; without it each has its own.
 */
export const createRawRest = (config: RedisConfig): RestRedis =>
  new RestRedis({
    url: config.restUrl,
    token: config.restToken,
    signal: () => AbortSignal.timeout(config.commandTimeoutMs),
    enableAutoPipelining: config.enablePipelining,
    automaticDeserialization: false,
    responseEncoding: false,
    retry: { retries: 0 },
    enableTelemetry: false,
  });
