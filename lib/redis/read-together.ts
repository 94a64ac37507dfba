import type { RedisCommand, RedisDriver, RedisReply, SendOptions } from './driver.ts';

/**
 * Reads that make sense only together, in one round trip; not atomic.
 * @throws the first error any of them got; as RedisDriver.sendAll.
 */
export async function readTogether(
  redis: RedisDriver,
  commands: readonly RedisCommand[],
  options: Omit<SendOptions, 'kind'> = {},
): Promise<readonly RedisReply[]> {
  const replies = await redis.sendAll(commands, { ...options, kind: 'read' });
  return replies.map((reply) => {
    if (reply instanceof Error) throw reply;
    return reply;
  });
}
