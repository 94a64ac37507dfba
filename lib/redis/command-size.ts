/** How much a command takes on its way to Redis: bounded cheaply, or measured. */
import type { RedisCommand } from './driver.ts';

/** A number, a separator, quotes: more than each of them needs. */
const PART_CHARS = 24;
/** As JSON a character takes 6 bytes at most (`\u0000`), as UTF-8 3. */
const MAX_BYTES_PER_CHAR = 6;

/** Whether commands surely take no more than this, on any transport: then they need not be measured. */
export const surelyFit = (commands: readonly RedisCommand[], maxBytes: number): boolean => {
  let left = maxBytes / MAX_BYTES_PER_CHAR;
  for (const command of commands) left -= charsOf(command);
  return left >= 0;
};

function charsOf(command: RedisCommand): number {
  let chars = PART_CHARS;
  for (const part of command) chars += PART_CHARS + (typeof part === 'string' ? part.length : 0);
  return chars;
}

/** Bytes of the command in a request over REST, its comma included. 2 ms a MB. */
export const jsonBytes = (command: RedisCommand): number => Buffer.byteLength(JSON.stringify(command)) + 1;

/** Bytes of the command over TCP, about: what frames its parts is bounded. */
export function wireBytes(command: RedisCommand): number {
  let bytes = PART_CHARS;
  for (const part of command) bytes += PART_CHARS + (typeof part === 'string' ? Buffer.byteLength(part) : 0);
  return bytes;
}
