/** Field `m` of a gate as its scripts write it, and the points they keep, without Redis. */

import { type Counters, dayPoint, hourPoint, minutePoint, periodPoint } from '../../lib/gate/counters.ts';
import { periodOf } from '../../lib/gate/period.ts';

const LIMB = 1_000_000_000_000_000n;
export const MINUTE_MS = 60_000;

/** Text of counters; what is not named is 0. */
export function countersText(c: Partial<Counters>): string {
  const n = (name: Exclude<keyof Counters, 'memoryByteMs' | 'storageByteMs'>) => c[name] ?? 0;
  const limbs = (value = 0n) => [value / LIMB, value % LIMB];
  return [
    'm5',
    0,
    0,
    n('minute'),
    n('operationsThisMinute'),
    n('periodEndMs'),
    n('transferBytes'),
    n('operations'),
    n('hits'),
    n('misses'),
    n('bytesOut'),
    n('computeUs'),
    n('accessUs'),
    n('bytesIn'),
    n('memoryBytes'),
    n('entries'),
    n('seq'),
    n('storageBytes'),
    n('stockAtMs'),
    ...limbs(c.memoryByteMs),
    ...limbs(c.storageByteMs),
    n('rawBytes'),
    n('packedBytes'),
    n('sessions'),
    n('hotSessionBytes'),
    n('spilledSessions'),
    n('spilledBytes'),
    n('keptBytes'),
    n('feedSeq'),
    n('feedEpochMs'),
  ].join(',');
}

/** One call: when, and what it changed. */
export interface Call {
  readonly atMs: number;
  readonly memoryBytes: number;
  readonly bytesOut: number;
}

/** A gate that is called, as redis/scripts/includes/roll-over.lua keeps points. Calls come in the order of their time. */
export function modelGate() {
  const fields = new Map<string, string>([['m', countersText({})]]);
  let now: Counters | undefined;
  return {
    fields,
    call({ atMs, memoryBytes, bytesOut }: Call): void {
      const minute = Math.floor(atMs / MINUTE_MS);
      const text = fields.get('m') as string;
      if (now !== undefined && now.minute < minute) {
        const [hour, day] = [Math.floor(now.minute / 60), Math.floor(now.minute / 1440)];
        fields.set(minutePoint(now.minute), text);
        if (hour !== Math.floor(minute / 60)) fields.set(hourPoint(hour), text);
        if (day !== Math.floor(minute / 1440)) fields.set(dayPoint(day), text);
        if (atMs >= now.periodEndMs) fields.set(periodPoint(now.periodEndMs), text);
      }
      const held = BigInt(now?.memoryBytes ?? 0) * BigInt(atMs - (now?.stockAtMs ?? atMs));
      now = {
        ...ZERO,
        minute,
        operationsThisMinute: now?.minute === minute ? now.operationsThisMinute + 1 : 1,
        periodEndMs: periodOf(atMs).endMs,
        operations: (now?.operations ?? 0) + 1,
        bytesOut: (now?.bytesOut ?? 0) + bytesOut,
        memoryBytes,
        stockAtMs: atMs,
        memoryByteMs: (now?.memoryByteMs ?? 0n) + held,
      };
      fields.set('m', countersText(now));
    },
  };
}

const ZERO: Counters = {
  minute: 0,
  operationsThisMinute: 0,
  periodEndMs: 0,
  transferBytes: 0,
  operations: 0,
  hits: 0,
  misses: 0,
  bytesOut: 0,
  computeUs: 0,
  accessUs: 0,
  bytesIn: 0,
  memoryBytes: 0,
  entries: 0,
  seq: 0,
  storageBytes: 0,
  stockAtMs: 0,
  memoryByteMs: 0n,
  storageByteMs: 0n,
  rawBytes: 0,
  packedBytes: 0,
  sessions: 0,
  hotSessionBytes: 0,
  spilledSessions: 0,
  spilledBytes: 0,
  keptBytes: 0,
  feedSeq: 0,
  feedEpochMs: 0,
};
