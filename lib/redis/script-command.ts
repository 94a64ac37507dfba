/** The two commands a run of a script can be: by hash, and by text for a server that does not know it. */
import type { RedisCommand } from './driver.ts';

type NamedValues = Readonly<Record<string, string | number | readonly (string | number)[]>>;

/** What a command needs to know of a script. */
export interface CallableScript {
  readonly source: string;
  readonly sha1: string;
  readonly keys: readonly string[];
  readonly args: readonly string[];
}

/** The EVALSHA command of a call: `['EVALSHA', sha1, number of keys, …keys, …arguments]`. */
export function evalshaCommand(script: CallableScript, keys: NamedValues, args: NamedValues): RedisCommand {
  const command: [string, ...(string | number)[]] = ['EVALSHA', script.sha1, 0];
  appendNamed(command, script.keys, keys);
  command[2] = command.length - 3;
  appendNamed(command, script.args, args);
  return command;
}

/** The same call with the script's text, for a server that does not know it. */
export function evalCommand(script: CallableScript, [, , ...rest]: RedisCommand): RedisCommand {
  return ['EVAL', script.source, ...rest];
}

function appendNamed(command: (string | number)[], names: readonly string[], values: NamedValues): void {
  for (const name of names) {
    const value = values[name.startsWith('...') ? name.slice(3) : name];
    if (typeof value === 'object') for (const item of value) command.push(item);
    else if (value !== undefined) command.push(value);
    else throw new TypeError(`No value for "${name}"`);
  }
}
