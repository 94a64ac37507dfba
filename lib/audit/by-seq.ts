import type { RedisReply } from '../redis/driver.ts';

/** Pairs of a `WITHSCORES` reply: seq -> line. */
export function bySeq(reply: RedisReply | undefined): Map<number, string> {
  const flat = Array.isArray(reply) ? (reply as readonly (string | number)[]) : [];
  const found = new Map<number, string>();
  for (let i = 0; i + 1 < flat.length; i += 2) found.set(Number(flat[i + 1]), String(flat[i]));
  return found;
}
