/**
 * What a tenant has reserved, as its gate holds it. Scripts write it (lib/redis/scripts/includes/holds.lua):
 *
 *   r       r1,<held memory>,<held storage>,<held transfer>,<committed memory>,<committed storage>; absent: nothing
 *   q:<id>  q1,<m|s|t|o>,<amount>,<abandoned at, ms>,<minute it was counted in, 0 but for operations>
 */
import type { Resource } from './quota-state.ts';

export interface Held {
  readonly memoryBytes: number;
  readonly storageBytes: number;
  readonly transferBytes: number;
  /** Part of what the tenant uses: bytes kept elsewhere, which nothing stored here accounts for. */
  readonly committedMemoryBytes: number;
  readonly committedStorageBytes: number;
}

const NOTHING_HELD: Held = {
  memoryBytes: 0,
  storageBytes: 0,
  transferBytes: 0,
  committedMemoryBytes: 0,
  committedStorageBytes: 0,
};

/** `text` null or empty: nothing was ever reserved. @throws {RangeError} no script wrote it. */
export function unpackHeld(text: string | null): Held {
  if (text === null || text === '') return NOTHING_HELD;
  const parts = text.split(',');
  const held = {
    memoryBytes: Number(parts[1]),
    storageBytes: Number(parts[2]),
    transferBytes: Number(parts[3]),
    committedMemoryBytes: Number(parts[4]),
    committedStorageBytes: Number(parts[5]),
  };
  const sum = held.memoryBytes + held.storageBytes + held.transferBytes;
  const isSum = Number.isFinite(sum + held.committedMemoryBytes + held.committedStorageBytes);
  if (parts[0] !== 'r1' || parts.length !== 6 || !isSum) throw new RangeError('Not reservations');
  return held;
}

/** Resources as scripts call them. */
export const RESOURCE_CODES = {
  memory_bytes: 'm',
  storage_bytes: 's',
  operations_per_minute: 'o',
  data_transfer_bytes: 't',
} as const satisfies Readonly<Record<Resource, string>>;

/** @throws {RangeError} not the code of a resource. */
export function resourceOfCode(code: string): Resource {
  for (const [resource, known] of Object.entries(RESOURCE_CODES)) if (known === code) return resource as Resource;
  throw new RangeError('Not the code of a resource');
}
