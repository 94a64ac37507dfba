/** How far a tenant's limits are used at this moment: pure. */

import type { Quotas } from '../config/config.ts';
import type { Counters } from '../gate/counters.ts';
import { isoOf } from '../iso-time.ts';
import type { TenantUsageResponse } from './contract.ts';
import { type SessionStock, sessionStock } from './session-stock.ts';

const MINUTE_MS = 60_000;

export type LiveUse = Pick<
  TenantUsageResponse,
  keyof Quotas | keyof SessionStock | 'limits' | 'percent' | 'reserved' | 'resets_at'
>;

export interface LiveInput {
  readonly quotas: Quotas;
  readonly counters: Counters;
  /** Field `r` of the gate; null: nothing is reserved. */
  readonly held: string | null;
  readonly nowMs: number;
  /** When the current month ends. */
  readonly monthEndMs: number;
}

/** What was counted in a minute or month that has ended is not used any more. */
export function liveUse({ quotas, counters, held, nowMs, monthEndMs }: LiveInput): LiveUse {
  const minute = Math.floor(nowMs / MINUTE_MS);
  const used: Quotas = {
    memory_bytes: counters.memoryBytes,
    storage_bytes: counters.storageBytes,
    operations_per_minute: counters.minute === minute ? counters.operationsThisMinute : 0,
    data_transfer_bytes: counters.periodEndMs > nowMs ? counters.transferBytes : 0,
  };
  const percent = (name: keyof Quotas) =>
    quotas[name] === 0 ? null : Math.round((used[name] * 10_000) / quotas[name]) / 100;
  return {
    ...used,
    ...sessionStock(counters),
    limits: { ...quotas },
    percent: {
      memory_bytes: percent('memory_bytes'),
      storage_bytes: percent('storage_bytes'),
      operations_per_minute: percent('operations_per_minute'),
      data_transfer_bytes: percent('data_transfer_bytes'),
    },
    reserved: reservedOf(held),
    resets_at: {
      memory_bytes: null,
      storage_bytes: null,
      operations_per_minute: isoOf((minute + 1) * MINUTE_MS),
      data_transfer_bytes: isoOf(monthEndMs),
    },
  };
}

/** @throws {RangeError} not field `r` of a gate. */
function reservedOf(text: string | null) {
  const [, memory, storage, transfer] = /^r1,(\d+),(\d+),(\d+)/.exec(text ?? 'r1,0,0,0') ?? [];
  if (transfer === undefined) throw new RangeError('Not the sums of reservations');
  return { memory_bytes: Number(memory), storage_bytes: Number(storage), data_transfer_bytes: Number(transfer) };
}
