/** One command on its way through ioredis, and what its failure means. */
import { Command } from 'ioredis';
import type { RedisCommand } from './driver.ts';
import { replyError } from './reply-error.ts';
import { unanswered, unavailable } from './transport-errors.ts';

/** Upper case on purpose: ioredis reshapes the replies of lower-case names (HGETALL becomes an object). */
export function ioredisCommand([name, ...args]: RedisCommand): Command {
  return new Command(name.toUpperCase(), args as string[], { replyEncoding: 'utf8' });
}

/** The caller's signal aborted: what ioredis is told, so that the wait ends. */
export const ABORTED = new Error('aborted');

/**
 * The error for what ioredis rejected with. Its messages and fields hold arguments: only the first word is read.
 * @param sent whether bytes of the command may have reached a server that did not answer.
 */
export function tcpFault(rejected: unknown, sent: boolean): Error {
  const { message } = rejected as Error;
  if (isErrorReply(rejected)) return replyError(message);
  if (message.startsWith(TOO_MANY_REDIRECTIONS)) return unavailable('not_now');
  if (rejected === ABORTED) return sent ? unanswered('aborted') : unavailable('aborted');
  if (message === TIMED_OUT) return sent ? unanswered('timeout') : unavailable('timeout');
  return sent ? unanswered('connection_lost') : unavailable('not_connected');
}

/** Whether the connection should be left: it was silent too long (half-open, perhaps), or leads to no master now. */
export function isSuspect(rejected: unknown): boolean {
  if (!(rejected instanceof Error)) return false;
  return rejected.message === TIMED_OUT || rejected.message.startsWith('READONLY');
}

/** Whether a server answered, with an error. */
export function isErrorReply(rejected: unknown): rejected is Error {
  return rejected instanceof Error && rejected.name === 'ReplyError';
}

const TIMED_OUT = 'Command timed out';
const TOO_MANY_REDIRECTIONS = 'Too many Cluster redirections';
