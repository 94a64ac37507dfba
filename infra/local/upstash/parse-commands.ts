/** What a request asks for, as commands. Only the shape is judged here; command-rules.ts says what may run. */
import { RedisReplyError } from '../../../lib/errors.ts';
import type { Command } from './command-rules.ts';

/** `["GET","key"]`: the body of `POST /`. @throws {RedisReplyError} it is not such a list. */
export function parseCommand(body: Buffer): Command {
  return toCommand(parseJson(body));
}

/** `[["GET","a"],["GET","b"]]`: the body of `/pipeline` and `/multi-exec`. @throws {RedisReplyError} it is not. */
export function parseCommands(body: Buffer): Command[] {
  const list = parseJson(body);
  if (!Array.isArray(list) || list.length === 0) throw refused('expected a list of commands');
  return list.map(toCommand);
}

/**
 * `/set/key?EX=10` with the value as body → SET key value EX 10. Empty parts are left out; the body may be any bytes.
 * @throws {RedisReplyError} no command, or a `%` that is no escape.
 */
export function parsePath(path: string, query: URLSearchParams, body: Buffer): Command {
  const words: unknown[] = path.split('/').filter(Boolean).map(decode);
  if (body.length > 0) words.push(body);
  for (const [name, value] of query) {
    if (name !== '_token') words.push(name, ...(value === '' ? [] : [value]));
  }
  return toCommand(words);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw refused('the body is not JSON');
  }
}

function toCommand(words: unknown): Command {
  if (!Array.isArray(words)) throw refused('a command is a list of its name and arguments');
  const [name, ...args] = words.map(toArgument);
  if (name === undefined || name.length === 0) throw refused('empty command');
  return [String(name).toUpperCase(), ...args];
}

function toArgument(word: unknown): string | Buffer {
  if (typeof word === 'string' || Buffer.isBuffer(word)) return word;
  if (typeof word === 'number' || typeof word === 'boolean') return String(word);
  throw refused('an argument is a string, a number or a boolean');
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw refused('the path is not percent-encoded UTF-8');
  }
}

function refused(reason: string): RedisReplyError {
  return new RedisReplyError('ERR', `ERR failed to parse command: ${reason}`);
}
