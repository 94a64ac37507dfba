/** A Lua script with its contract: what its keys, arguments and reply are called. */
import { createHash } from 'node:crypto';
import type { RedisCommand, RedisReply } from './driver.ts';

/** Names in order. The last may be a rest, as `...members`: any number of values. */
export interface Script<Key extends string, Arg extends string, Reply> {
  /** The file's name without `.lua`. */
  readonly name: string;
  /** The script's text, includes inlined. */
  readonly source: string;
  readonly sha1: string;
  /** Names of KEYS[1], KEYS[2], … */
  readonly keys: readonly Key[];
  /** Names of ARGV[1], ARGV[2], … */
  readonly args: readonly Arg[];
  /** Gives the reply its names. Throws UnknownReplyShapeError (reply-shape.ts) on one it does not know. */
  readonly reply: (raw: RedisReply) => Reply;
}

/** A value for each name; a list for the rest, whose name goes without the dots. */
export type Named<Name extends string, Value> = {
  readonly [N in Name as N extends `...${infer Rest}` ? Rest : N]: N extends `...${string}` ? readonly Value[] : Value;
};

/**
 * Binds a script: `defineScript({ name: 'reserve-quota', source: reserveQuotaLua, keys: ['usage', 'limits'],
 * args: ['resource', 'amount'], reply: (raw) => ({ granted: asInteger(raw) === 1 }) })`.
 */
export function defineScript<const Key extends string, const Arg extends string, Reply>(
  spec: Omit<Script<Key, Arg, Reply>, 'sha1'>,
): Script<Key, Arg, Reply> {
  return Object.freeze({ ...spec, sha1: createHash('sha1').update(spec.source).digest('hex') });
}

/** A script whose names do not matter to the code at hand. */
export type AnyScript = Pick<Script<string, string, unknown>, 'name' | 'source' | 'sha1' | 'keys' | 'args' | 'reply'>;

/** The EVALSHA command of a call: `['EVALSHA', sha1, number of keys, …keys, …arguments]`. */
export function evalshaCommand(
  script: AnyScript,
  keys: Readonly<Record<string, string | readonly string[]>>,
  args: Readonly<Record<string, string | number | readonly (string | number)[]>>,
): RedisCommand {
  const command: [string, ...(string | number)[]] = ['EVALSHA', script.sha1, 0];
  appendNamed(command, script.keys, keys);
  command[2] = command.length - 3;
  appendNamed(command, script.args, args);
  return command;
}

/** The same call with the script's text, for a server that does not know it. */
export function evalCommand(script: AnyScript, [, , ...rest]: RedisCommand): RedisCommand {
  return ['EVAL', script.source, ...rest];
}

function appendNamed(
  command: (string | number)[],
  names: readonly string[],
  values: Readonly<Record<string, string | number | readonly (string | number)[]>>,
): void {
  for (const name of names) {
    const value = values[name.startsWith('...') ? name.slice(3) : name];
    if (typeof value === 'object') for (const item of value) command.push(item);
    else if (value !== undefined) command.push(value);
    else throw new TypeError(`No value for "${name}"`);
  }
}
