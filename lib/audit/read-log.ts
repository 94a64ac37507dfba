import type { RedisCommand, RedisDriver, RedisReply } from '../redis/driver.ts';

/** Reads of one round trip. @throws the first error any of them got; as RedisDriver.sendAll. */
export async function readTogether(
  redis: RedisDriver,
  commands: readonly RedisCommand[],
  signal?: AbortSignal,
): Promise<readonly RedisReply[]> {
  const replies = await redis.sendAll(commands, { kind: 'read', signal });
  return replies.map((reply) => {
    if (reply instanceof Error) throw reply;
    return reply;
  });
}

/** Pairs of a `WITHSCORES` reply: seq -> line. */
export function bySeq(reply: RedisReply | undefined): Map<number, string> {
  const flat = Array.isArray(reply) ? (reply as readonly (string | number)[]) : [];
  const found = new Map<number, string>();
  for (let i = 0; i + 1 < flat.length; i += 2) found.set(Number(flat[i + 1]), String(flat[i]));
  return found;
}
