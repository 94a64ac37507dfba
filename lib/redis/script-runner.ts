/** Runs scripts by hash, and by text where the server does not know them: after a restart, failover or SCRIPT FLUSH. */
import { RedisReplyError } from '../errors.ts';
import type { RedisDriver, RedisReply, SendOptions } from './driver.ts';
import { evalCommand, evalshaCommand, type Named, type Script } from './script.ts';

/** One run of a script. Arguments may be numbers; Lua gets them as text. */
export interface ScriptInput<Key extends string, Arg extends string> {
  readonly keys: Named<Key, string>;
  readonly args: Named<Arg, string | number>;
}

export type ScriptOptions = Omit<SendOptions, 'name'>;

/**
 * Runs a script; atomic. NOSCRIPT means that nothing ran, so a write is sent again with its text, too.
 * @throws as RedisDriver.send; RedisReplyError with the reply `ERR` when the script failed midway.
 */
export async function runScript<const Key extends string, const Arg extends string, Reply>(
  redis: RedisDriver,
  script: Script<Key, Arg, Reply>,
  call: ScriptInput<Key, Arg> & ScriptOptions,
): Promise<Reply> {
  const command = evalshaCommand(script, call.keys, call.args);
  const options = { kind: call.kind, signal: call.signal, name: script.name };
  let raw: RedisReply;
  try {
    raw = await redis.send(command, options);
  } catch (error) {
    if (!isNoScript(error)) throw error;
    raw = await redis.send(evalCommand(script, command), options);
  }
  return script.reply(raw);
}

/** A call prepared for {@link runScripts}, so that calls of different scripts fit in one list. */
export interface ScriptCall<Reply> {
  readonly script: Script<string, string, Reply>;
  readonly command: ReturnType<typeof evalshaCommand>;
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
