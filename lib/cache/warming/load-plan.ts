/** What is to be loaded, what of it is worth sending, and what the script made of it. Pure. */
import { BlobUnavailableError } from '../../errors.ts';
import type { TenantId } from '../../ids.ts';
import type { EntryName } from '../../keys.ts';
import type { RedisReply } from '../../redis/driver.ts';
import type { EntryMeta } from '../entry-format.ts';
import type { Lifetime } from '../lifetime.ts';
import { BLOB_GONE, CONDITION_FAILED, MEMORY_FULL, STORAGE_FULL } from '../outcomes.ts';

export interface LoadedEntry {
  readonly name: EntryName;
  readonly value: Uint8Array;
  readonly meta: EntryMeta;
  readonly lifetime: Lifetime;
}

export type LoadStatus =
  | 'stored'
  | 'skipped_exists'
  | 'expired'
  | 'memory_full'
  | 'storage_full'
  | 'too_large'
  | 'duplicate';

export interface LoadOptions {
  /** The same again is a replay: what was stored then is told, and not stored twice. */
  readonly operation: string;
  /** False: an entry that is there stays. */
  readonly overwrite: boolean;
  /** Nothing is stored; room is judged for each 100 entries alone. */
  readonly dryRun: boolean;
  readonly signal?: AbortSignal | undefined;
}

const STATUS: Readonly<Record<number, LoadStatus>> = {
  [CONDITION_FAILED]: 'skipped_exists',
  [MEMORY_FULL]: 'memory_full',
  [STORAGE_FULL]: 'storage_full',
};

export type Place = { readonly at: number; readonly entry: LoadedEntry };
export type Item = { readonly place: Place; readonly args: readonly (string | number)[]; readonly bytes: number };

/** One call of `store`. */
export interface Load extends LoadOptions {
  readonly id: TenantId;
  readonly outcomes: LoadStatus[];
}

/** Those worth sending; the outcome of the others is noted. */
export function storable(
  { outcomes }: Load,
  entries: readonly LoadedEntry[],
  { nowMs, maxBytes }: { readonly nowMs: number; readonly maxBytes: number },
): readonly Place[] {
  const seen = new Set<string>();
  return entries.flatMap((entry, at) => {
    const { name, value, lifetime } = entry;
    const id = `${name.namespace}\0${name.key}`;
    if (value.length > maxBytes) outcomes[at] = 'too_large';
    else if (hasEnded(lifetime, nowMs)) outcomes[at] = 'expired';
    else if (seen.has(id)) outcomes[at] = 'duplicate';
    else {
      seen.add(id);
      return [{ at, entry }];
    }
    return [];
  });
}

const hasEnded = ({ until }: Lifetime, nowMs: number): boolean =>
  until !== undefined && until.expiresAtMs !== null && until.expiresAtMs <= nowMs;

/** Notes what became of them. @returns those there was no room for. */
export function readOutcomes(
  { outcomes }: Load,
  items: readonly Item[],
  reply: readonly RedisReply[],
): readonly Item[] {
  return items.filter(({ place }, i) => {
    const outcome = reply[i * 4];
    if (outcome === BLOB_GONE) throw new BlobUnavailableError('An object was written too slowly to be taken into use');
    outcomes[place.at] = STATUS[outcome as number] ?? 'stored';
    return outcome === MEMORY_FULL;
  });
}
