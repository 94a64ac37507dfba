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
  /**
   * Ends the wait: the request's deadline. The command timeout holds besides. Aborted: {@link OutcomeUnknownError} for
   * a write that was sent, DeadlineError for anything else.
   */
  readonly signal?: AbortSignal | undefined;
  /** What the call is, where its first word does not say: the script of an EVALSHA. For failpoints and traces. */
  readonly name?: string | undefined;
}

export interface RedisDriver {
  /**
   * Sends one command. The call ends within `redis.commandTimeoutMs`, connecting and retries included.
   * @throws {RedisReplyError} Redis answered with an error.
   * @throws {StorageFullError} Redis is out of memory (`store_full`); nothing was changed.
   * @throws {BodyTooLargeError} the endpoint takes no request of that size (REST: 10 MiB); nothing was changed.
   * @throws {RedisUnavailableError} it was never sent, Redis cannot answer now, or a read got no answer: nothing was
   * changed.
   * @throws {OutcomeUnknownError} a write was sent and no reply came back.
   * @throws {DeadlineError} `signal` aborted first; not for a write that was sent.
   */
  send(command: RedisCommand, options: SendOptions): Promise<RedisReply>;
  /**
   * Sends several commands in one round trip for each `redis.maxPipelineSize` of them and each 8 MiB (on Cluster: for each
   * node they touch); not atomic. An error Redis gives to one command is returned in its place, and that command is not retried.
   * @throws as {@link send}, when the whole trip failed.
   */
  sendAll(commands: readonly RedisCommand[], options: SendOptions): Promise<readonly (RedisReply | Error)[]>;
  /** Closes connections; later calls throw. */
  close(): Promise<void>;
}
