/**
 * The port to Redis. Three setups implement it, and pass one suite against real servers
 * (test/conformance/redis-driver.test.ts): rest-driver.ts (@upstash/redis), tcp-driver.ts (ioredis, one node or Cluster).
 *
 * Strings are strings: no adapter parses JSON or guesses numbers. Integers stay numbers, absent is null.
 */
export type RedisReply = string | number | null | readonly RedisReply[];

/** Name first: `['SET', key, value]`. Keys come before values, as Redis writes them. */
export type RedisCommand = readonly [name: string, ...args: (string | number)[]];

export interface SendOptions {
  /**
   * What a lost reply means. `read`: the command is sent again, up to `redis.retryAttempts` times. `write`: never sent
   * again by the driver; the caller is told the outcome is unknown.
   */
  readonly kind: 'read' | 'write';
  /** Ends the wait: the request's deadline. The command timeout holds besides. */
  readonly signal?: AbortSignal | undefined;
}

export interface RedisDriver {
  /**
   * Sends one command; at most `redis.commandTimeoutMs` for each try.
   * @throws {RedisReplyError} Redis answered with an error.
   * @throws {RedisUnavailableError} it was never sent, or a read got no answer: nothing was changed.
   * @throws {OutcomeUnknownError} a write was sent and no reply came back.
   */
  send(command: RedisCommand, options: SendOptions): Promise<RedisReply>;
  /**
   * Sends several commands in one round trip (on Cluster: one for each node they touch); not atomic. An error of one
   * command is returned in its place.
   * @throws as {@link send}, when the whole trip failed.
   */
  sendAll(commands: readonly RedisCommand[], options: SendOptions): Promise<readonly (RedisReply | Error)[]>;
  /** Closes connections; later calls throw. */
  close(): Promise<void>;
}
