/**
 * What a tenant's gate hash holds, as text. Scripts read and write the same (lib/redis/scripts/includes/open-gate.lua);
 * golden fixtures of each are in test/fixtures/stored-formats.json.
 *
 *   h         h1,<status>,<context version>,<generation>,<operations a minute>,<burst>,<memory>,<storage>,<transfer>
 *   m         counters: lib/gate/counters.ts
 *   u:… p:…   counters as they stood when a minute, an hour, a day or a period had ended: lib/gate/counters.ts
 *   r, q:<id> what is reserved: lib/quotas/held-format.ts, lib/redis/scripts/includes/holds.lua
 *   b         the share of the memory of hot sessions: lib/sessions/spillover/budget/share-format.ts
 *   x         the context, JSON: lib/gate/context-format.ts
 *   k:<hash>  k2,<key id>,<expires ms, 0 never>,<a active | r revoked>,<last used, minute>,<scopes, a space around each>;
 *             k1 lacks the minute
 *   l:<hash>  l1,<operations a minute>,<burst>,<level>,<level at µs>: a limit of the key's own; of a route l:<route>
 *   d         the last operations that leave nothing behind to tell a replay by, 40 to 64: removals <op>=<outcome>;
 *             of many a digit for each; increments <op>=<outcome><sum>;
 *             what ends or gives back a reservation <op>=<outcome><amount>;
 */
import type { Quotas } from '../config/config.ts';

/** `deleted`: within the time in which it can be undone. */
export type TenantStatus = 'active' | 'suspended' | 'deleted';

export interface Limits {
  readonly status: TenantStatus;
  readonly contextVersion: number;
  readonly generation: number;
  readonly quotas: Quotas;
  /** Calls that may come at once; undefined: {@link burstOf} of the rate. */
  readonly burst?: number | undefined;
}

/** Calls that may come at once: a tenth of a minute's, at least one. */
export const burstOf = (operationsPerMinute: number): number =>
  operationsPerMinute === 0 ? 0 : Math.max(1, Math.floor(operationsPerMinute / 10));

export function packLimits({ status, contextVersion, generation, quotas, burst }: Limits): string {
  const rate = quotas.operations_per_minute;
  const bytes = [quotas.memory_bytes, quotas.storage_bytes, quotas.data_transfer_bytes];
  return ['h1', status, contextVersion, generation, rate, burst ?? burstOf(rate), ...bytes].join(',');
}

/** @throws {RangeError} not written by {@link packLimits}. */
export function unpackLimits(text: string): Limits & { readonly burst: number } {
  const [tag, status, contextVersion, generation, rate, burst, memory, storage, transfer] = text.split(',');
  if (tag !== 'h1' || (status !== 'active' && status !== 'suspended' && status !== 'deleted'))
    throw new RangeError('Not a gate header');
  return {
    status,
    contextVersion: Number(contextVersion),
    generation: Number(generation),
    burst: Number(burst),
    quotas: {
      memory_bytes: Number(memory),
      storage_bytes: Number(storage),
      operations_per_minute: Number(rate),
      data_transfer_bytes: Number(transfer),
    },
  };
}

export interface KeyField {
  readonly id: string;
  /** Unix ms; null: never. */
  readonly expiresAtMs: number | null;
  readonly scopes: readonly string[];
}

/** The field of a key in the gate. `hash`: SHA-256 of the key, hex. */
export const keyField = (hash: string): string => `k:${hash}`;

/** The field of a key's own limit. */
export const keyLimitField = (hash: string): string => `l:${hash}`;

/** The field of a limit of one route: the name of its contract. */
export const routeLimitField = (route: string): string => `l:${route}`;

export const packKey = ({ id, expiresAtMs, scopes }: KeyField): string =>
  `k2,${id},${expiresAtMs ?? 0},a,0, ${scopes.join(' ')} `;

/** What the gate knows of a key, besides its scopes. */
export interface KeyState {
  readonly id: string;
  readonly expiresAtMs: number | null;
  readonly revoked: boolean;
  /** Start of the minute, Unix ms; null: never used. */
  readonly lastUsedAtMs: number | null;
}

/** @throws {RangeError} not the field of a key. */
export function unpackKey(text: string): KeyState {
  const match = /^k[12],([^,]*),(\d+),([ar]),(\d*)/.exec(text);
  if (match === null) throw new RangeError('Not the field of a key');
  const [, id, expires, state, minute] = match as unknown as string[];
  return {
    id: id as string,
    expiresAtMs: expires === '0' ? null : Number(expires),
    revoked: state === 'r',
    lastUsedAtMs: Number(minute) === 0 ? null : Number(minute) * 60_000,
  };
}

export interface OwnLimit {
  readonly operations_per_minute: number;
  readonly burst?: number | undefined;
}

/** A limit of a key or a route, not used yet. */
export const packOwnLimit = ({ operations_per_minute, burst }: OwnLimit): string =>
  `l1,${operations_per_minute},${burst ?? burstOf(operations_per_minute)},0,0`;
