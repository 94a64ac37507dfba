/**
 * What a tenant's gate hash holds, as text. Scripts read and write the same (lib/redis/scripts/includes/open-gate.lua);
 * golden fixtures of each are in test/fixtures/stored-formats.json.
 *
 *   h         h1,<status>,<context version>,<generation>,<operations a minute>,<burst>,<memory>,<storage>,<transfer>
 *   m         m1,<level>,<level at µs>,<minute>,<operations in it>,<operations>,<hits>,<bytes out>,<compute µs>,
 *             <misses>,<bytes in>,<memory bytes>,<entries>,<seq>
 *   x         the context, JSON
 *   k:<hash>  k1,<key id>,<expires ms, 0 never>,<a active | r revoked>,<scopes, a space around each>
 */
import type { Quotas } from '../config/config.ts';

export interface Limits {
  readonly status: 'active' | 'suspended';
  readonly contextVersion: number;
  readonly generation: number;
  readonly quotas: Quotas;
}

/** Calls that may come at once: a tenth of a minute's, at least one. */
export const burstOf = (operationsPerMinute: number): number =>
  operationsPerMinute === 0 ? 0 : Math.max(1, Math.floor(operationsPerMinute / 10));

export function packLimits({ status, contextVersion, generation, quotas }: Limits): string {
  const rate = quotas.operations_per_minute;
  const bytes = [quotas.memory_bytes, quotas.storage_bytes, quotas.data_transfer_bytes];
  return ['h1', status, contextVersion, generation, rate, burstOf(rate), ...bytes].join(',');
}

/** @throws {RangeError} not written by {@link packLimits}. */
export function unpackLimits(text: string): Limits {
  const [tag, status, contextVersion, generation, rate, , memory, storage, transfer] = text.split(',');
  if (tag !== 'h1' || (status !== 'active' && status !== 'suspended')) throw new RangeError('Not a gate header');
  return {
    status,
    contextVersion: Number(contextVersion),
    generation: Number(generation),
    quotas: {
      memory_bytes: Number(memory),
      storage_bytes: Number(storage),
      operations_per_minute: Number(rate),
      data_transfer_bytes: Number(transfer),
    },
  };
}

export interface Counters {
  readonly operationsThisMinute: number;
  readonly operations: number;
  readonly hits: number;
  readonly misses: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly memoryBytes: number;
  readonly entries: number;
  readonly seq: number;
  readonly computeUs: number;
}

/** The counters of a tenant that did nothing yet. */
export const NO_COUNTERS = 'm1,0,0,0,0,0,0,0,0,0,0,0,0,0';

/** @throws {RangeError} not written by a script. */
export function unpackCounters(text: string): Counters {
  const [tag, ...texts] = text.split(',');
  const numbers = texts.map(Number);
  if (tag !== 'm1' || numbers.length !== 13) throw new RangeError('Not gate counters');
  const at = (name: keyof typeof PLACES) => numbers[PLACES[name]] as number;
  return {
    operationsThisMinute: at('operationsThisMinute'),
    operations: at('operations'),
    hits: at('hits'),
    misses: at('misses'),
    bytesIn: at('bytesIn'),
    bytesOut: at('bytesOut'),
    memoryBytes: at('memoryBytes'),
    entries: at('entries'),
    seq: at('seq'),
    computeUs: at('computeUs'),
  };
}

/** Where each counter stands among the numbers of `m`. */
const PLACES = {
  operationsThisMinute: 3,
  operations: 4,
  hits: 5,
  bytesOut: 6,
  computeUs: 7,
  misses: 8,
  bytesIn: 9,
  memoryBytes: 10,
  entries: 11,
  seq: 12,
} as const;

export interface KeyField {
  readonly id: string;
  /** Unix ms; null: never. */
  readonly expiresAtMs: number | null;
  readonly scopes: readonly string[];
}

/** The field of a key in the gate. `hash`: SHA-256 of the key, hex. */
export const keyField = (hash: string): string => `k:${hash}`;

export const packKey = ({ id, expiresAtMs, scopes }: KeyField): string =>
  `k1,${id},${expiresAtMs ?? 0},a, ${scopes.join(' ')} `;

/** What an instance keeps of a tenant between requests; a new version reaches it with its next request. */
export interface TenantContext {
  readonly version: string;
  readonly generation: number;
}

export const packContext = (generation: number): string => JSON.stringify({ generation });

/** @throws {SyntaxError | RangeError} not written by {@link packContext}. */
export function unpackContext(version: string, json: string): TenantContext {
  const { generation } = JSON.parse(json) as { generation?: unknown };
  if (!Number.isSafeInteger(generation)) throw new RangeError('Not a tenant context');
  return { version, generation: generation as number };
}
