/** Entries that are JSON, in and out as typed values. */
import { CorruptValueError } from '../../errors.ts';
import type { Caller } from '../../gate/caller.ts';
import type { EntryName } from '../../keys.ts';
import type { EntryMeta } from '../entry-format.ts';
import type { GetOrSet } from './get-or-set.ts';
import type { GetOrSetOptions, LoadContext, Obtained } from './get-or-set-options.ts';

const JSON_META: EntryMeta = { content_type: 'application/json' };

/** What `set` takes: `cache.set(caller, name, { ...jsonEntry(order), ttlMs: 60_000 })`. @throws {TypeError} JSON has no such value. */
export function jsonEntry(
  value: unknown,
  meta: Omit<EntryMeta, 'content_type'> = {},
): { readonly value: Buffer; readonly meta: EntryMeta } {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new TypeError('JSON has no such value');
  return { value: Buffer.from(text), meta: { ...meta, ...JSON_META } };
}

/**
 * The value of an entry that is JSON.
 * @param parse gives it its type, as the `parse` of a schema does, and throws on another; what it throws is thrown on.
 * @throws {CorruptValueError} it is not JSON.
 */
export function readJson<T>({ value }: { readonly value: Buffer }, parse: (json: unknown) => T): T {
  let json: unknown;
  try {
    json = JSON.parse(value.toString('utf8'));
  } catch (cause) {
    throw new CorruptValueError('The entry is not JSON', { cause });
  }
  return parse(json);
}

export interface JsonOptions<T> extends GetOrSetOptions {
  readonly parse: (json: unknown) => T;
}

export type JsonObtained<T> = Omit<Obtained, 'value'> & { readonly value: T };

/** As getOrSet, of values that are JSON. `load` gives the value itself; undefined: it is known that there is none. */
export async function getOrSetJson<T>(
  { getOrSet }: Pick<GetOrSet, 'getOrSet'>,
  call: { readonly caller: Caller; readonly name: EntryName },
  load: (context: LoadContext) => Promise<T | undefined>,
  { parse, ...options }: JsonOptions<T>,
): Promise<JsonObtained<T> | null> {
  const loadEntry = async (context: LoadContext) => {
    const value = await load(context);
    return value === undefined ? null : jsonEntry(value);
  };
  const obtained = await getOrSet(call.caller, call.name, loadEntry, options);
  return obtained === null ? null : { ...obtained, value: readJson(obtained, parse) };
}
