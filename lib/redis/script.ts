/**
 * Lua scripts: the contract each is bound by, and running them. They run by hash, and by text where the server does not
 * know them: after a restart, a failover or SCRIPT FLUSH.
 */
import { createHash } from 'node:crypto';
import { isStoreFull, RedisReplyError } from '../errors.ts';
import type { RedisCommand, RedisDriver, RedisReply, SendOptions } from './driver.ts';
import { type CallableScript, evalCommand, evalshaCommand } from './script-command.ts';

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
  /**
   * It reads, or removes: it also runs while Redis is out of memory, though it meters. Its first key is one that never has a
   * TTL, as a tenant's gate.
   */
  readonly runsWhenFull?: boolean;
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

/**
 * One run of a script. Arguments may be numbers; Lua gets them as text. Generic code, which cannot know whether a script
 * has a rest, passes a record by the names themselves.
 */
export interface ScriptInput<Key extends string, Arg extends string> {
  readonly keys: Named<Key, string> | Readonly<Record<Key, string>>;
  readonly args: Named<Arg, string | number> | Readonly<Record<Arg, string | number>>;
}

export type ScriptOptions = Omit<SendOptions, 'name'>;

/**
 * Runs a script; atomic. NOSCRIPT means that nothing ran, so a write is sent again with its text, too; so does OOM, and one
 * that `runsWhenFull` is sent again as {@link whenFull}.
 * @throws as RedisDriver.send; RedisReplyError with the reply `ERR` when the script failed midway.
 */
export async function runScript<const Key extends string, const Arg extends string, Reply>(
  redis: RedisDriver,
  script: Script<Key, Arg, Reply>,
  call: ScriptInput<Key, Arg> & ScriptOptions,
): Promise<Reply> {
  const options = { kind: call.kind, signal: call.signal, name: script.name };
  const run = async (form: CallableScript) => {
    const command = evalshaCommand(form, call.keys, call.args);
    try {
      return await redis.send(command, options);
    } catch (error) {
      if (!isNoScript(error)) throw error;
      return redis.send(evalCommand(form, command), options);
    }
  };
  try {
    return script.reply(await run(script));
  } catch (error) {
    if (!script.runsWhenFull || !isStoreFull(error)) throw error;
    return script.reply(await run(whenFull(script)));
  }
}

const fullForms = new WeakMap<object, CallableScript>();

/**
 * The same script as Redis runs it when it is out of memory. It refuses the first write of a script if that may need memory,
 * and none after it: so the first is one that needs none and changes nothing. (`#!lua flags=allow-oom` says the same to
 * Redis 7 alone.)
 */
function whenFull(script: CallableScript): CallableScript {
  let form = fullForms.get(script);
  if (form === undefined) {
    const source = `redis.call('PERSIST',KEYS[1]) ${script.source}`;
    form = { ...script, source, sha1: createHash('sha1').update(source).digest('hex') };
    fullForms.set(script, form);
  }
  return form;
}

/** A call prepared for {@link runScripts}, so that calls of different scripts fit in one list. */
export interface ScriptCall<Reply> {
  readonly script: Script<string, string, Reply>;
  readonly command: RedisCommand;
}

/** Prepares one call of a pipeline. */
export function scriptCall<const Key extends string, const Arg extends string, Reply>(
  script: Script<Key, Arg, Reply>,
  input: ScriptInput<Key, Arg>,
): ScriptCall<Reply> {
  return { script, command: evalshaCommand(script, input.keys, input.args) };
}

/** What each call of a pipeline gave: its reply, or its error in its place. */
export type ScriptOutcomes<Calls extends readonly ScriptCall<unknown>[]> = {
  -readonly [I in keyof Calls]: Calls[I] extends ScriptCall<infer Reply> ? Reply | Error : never;
};

/**
 * Runs calls in one round trip; each is atomic, all together are not. Only the calls the server did not know are sent
 * again with their text, in a second trip.
 * @throws as RedisDriver.sendAll, when the whole first trip failed; failures of the second stand in their places.
 */
export async function runScripts<const Calls extends readonly ScriptCall<unknown>[]>(
  redis: RedisDriver,
  calls: Calls,
  options: ScriptOptions,
): Promise<ScriptOutcomes<Calls>> {
  const sending = { ...options, name: calls[0]?.script.name };
  const slots = [
    ...(await redis.sendAll(
      calls.map((call) => call.command),
      sending,
    )),
  ];
  const unknown = calls.flatMap((call, index) => (isNoScript(slots[index]) ? [{ call, index }] : []));
  if (unknown.length > 0) {
    const commands = unknown.map(({ call }) => evalCommand(call.script, call.command));
    const again = await redis.sendAll(commands, sending).catch((error: Error) => commands.map(() => error));
    unknown.forEach(({ index }, i) => {
      slots[index] = again[i] ?? null;
    });
  }
  return calls.map((call, i) => decoded(call, slots[i] ?? null)) as ScriptOutcomes<Calls>;
}

function decoded<Reply>(call: ScriptCall<Reply>, slot: RedisReply | Error): Reply | Error {
  return slot instanceof Error ? slot : call.script.reply(slot);
}

function isNoScript(error: unknown): boolean {
  return error instanceof RedisReplyError && error.reply === 'NOSCRIPT';
}
