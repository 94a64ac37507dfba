/** Small decoders for replies of scripts. They check the shape and copy nothing. */
import type { RedisReply } from './driver.ts';

/** A script answered in a shape its binding does not know: the .lua file and the binding differ. A bug, not a fault. */
export class UnknownReplyShapeError extends TypeError {
  constructor(expected: string) {
    super(`The script's reply is not ${expected}`);
    this.name = 'UnknownReplyShapeError';
  }
}

/** A list; with `length`, of exactly so many items. @throws {UnknownReplyShapeError} */
export function asList(raw: RedisReply | undefined, length?: number): readonly RedisReply[] {
  if (!Array.isArray(raw)) throw new UnknownReplyShapeError('a list');
  if (length !== undefined && raw.length !== length) throw new UnknownReplyShapeError(`a list of ${length}`);
  return raw;
}

/** An integer, also one that came as text because it passes 2^31 or was formatted by the script. @throws {UnknownReplyShapeError} */
export function asInteger(raw: RedisReply | undefined): number {
  const value = typeof raw === 'string' && /^-?\d+$/.test(raw) ? Number(raw) : raw;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new UnknownReplyShapeError('a safe integer');
  return value;
}

/** Text. @throws {UnknownReplyShapeError} */
export function asText(raw: RedisReply | undefined): string {
  if (typeof raw !== 'string') throw new UnknownReplyShapeError('text');
  return raw;
}

/** Text, or null where Lua returned false. @throws {UnknownReplyShapeError} */
export function asTextOrNull(raw: RedisReply | undefined): string | null {
  return raw === null ? null : asText(raw);
}

/** Fields with their values, of a reply that has them by turns: HGETALL, or a script's list. */
export const pairsOf = (flat: readonly string[]): readonly (readonly [string, string])[] =>
  flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] as string] as const] : []));
