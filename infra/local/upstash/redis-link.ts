/** The endpoint's one connection to Redis, shared by all requests. What is sent in one turn leaves in one write. */
import { Redis, Command as WireCommand } from 'ioredis';
import { OutcomeUnknownError, RedisUnavailableError } from '../../../lib/errors.ts';
import type { Command } from './command-rules.ts';
import type { LinkReply } from './reply-encoding.ts';

const CONNECT_TIMEOUT_MS = 2_000;
/** A Redis that is silent for so long, with commands waiting, is taken for gone. */
const SILENCE_MS = 10_000;
const MAX_RETRY_DELAY_MS = 250;

export interface RedisLink {
  /**
   * Sends commands in this order, nothing of another caller between them. An error reply is returned in its place.
   * @throws {RedisUnavailableError} not connected; nothing was sent.
   * @throws {OutcomeUnknownError} sent, and the connection was lost before every reply was there.
   */
  sendAll(commands: readonly Command[]): Promise<LinkReply[]>;
  close(): void;
}

/** Connects; resolves when the first try has succeeded or failed. Later it connects again by itself, without end. */
export async function connectRedis(redisUrl: string): Promise<RedisLink> {
  const redis = new Redis(redisUrl, {
    protocol: 2,
    disableClientInfo: true,
    stringNumbers: true,
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SILENCE_MS,
    retryStrategy: (tries) => Math.min(tries * 20, MAX_RETRY_DELAY_MS),
  });
  // Each request says so by itself; the event alone would be printed.
  redis.on('error', () => {});
  await redis.connect().catch(() => {});
  const gather = createWriteGatherer(redis);

  return {
    sendAll(commands) {
      if (redis.status !== 'ready' || !redis.stream.writable) {
        throw new RedisUnavailableError('UNAVAILABLE Redis cannot be reached; nothing was sent');
      }
      gather();
      return Promise.all(commands.map((command) => send(redis, command)));
    },
    close: () => redis.disconnect(),
  };
}

/** The upper-case name keeps ioredis from reshaping arguments and replies, which it does by lower-case name. */
async function send(redis: Redis, [name, ...args]: Command): Promise<LinkReply> {
  try {
    return (await redis.sendCommand(new WireCommand(name, args, { replyEncoding: null }))) as LinkReply;
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return error;
    throw new OutcomeUnknownError('The connection to Redis was lost before its reply: the outcome is unknown', {
      cause: error,
    });
  }
}

/** Holds back what is written during this turn of the event loop, so that many small requests share one packet. */
function createWriteGatherer(redis: Redis): () => void {
  let isHeld = false;
  return () => {
    if (isHeld) return;
    isHeld = true;
    const { stream } = redis;
    stream.cork();
    setImmediate(() => {
      isHeld = false;
      stream.uncork();
    });
  };
}
