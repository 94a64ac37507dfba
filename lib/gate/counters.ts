/**
 * The counters of a tenant: field `m` of its gate, and the points kept of it. Scripts write them
 * (lib/redis/scripts/includes/close-gate.lua, stock.lua).
 *
 *   m5,<level>,<level at µs>,<minute>,<operations in it>,<period end ms>,<transfer bytes of the period>,<operations>,<hits>,
 *   <misses>,<bytes out>,<compute µs>,<access µs>,<bytes in>,<memory bytes>,<entries>,<seq>,<storage bytes>,<stock at ms>,
 *   <memory byte-ms hi>,<lo>,<storage byte-ms hi>,<lo>,<raw bytes of the entries>,<packed bytes of the entries>,<sessions>,
 *   <hot session bytes>,<spilled sessions>,<spilled bytes>,<kept bytes>,<feed seq>,<feed epoch ms>
 *
 * Operations to access µs, bytes in and byte-time only ever grow. m4 had no kept bytes and no feed, m3 no sessions as well, m2 neither access µs nor raw and packed
 * bytes as well, m1 neither period nor storage nor byte-time as well; the script that meets one of them writes m5.
 *
 * A point is the text of `m` as it stood when a minute, an hour, a day or a period had ended, written by the first request
 * after: `u:m<minute % 180>`, `u:h<hour % 192>`, `u:d<day % 431>`, and for ever `p:<period end ms>`. Which one a slot
 * holds, its minute tells.
 */

export interface Counters {
  /** Of the last call, since 1970. */
  readonly minute: number;
  readonly operationsThisMinute: number;
  /** End of the calendar month of the last call, Unix ms; 0: there was none. */
  readonly periodEndMs: number;
  readonly transferBytes: number;
  readonly operations: number;
  readonly hits: number;
  readonly misses: number;
  readonly bytesOut: number;
  readonly computeUs: number;
  /** What reads of the cache took, as the instances saw them. */
  readonly accessUs: number;
  readonly bytesIn: number;
  readonly memoryBytes: number;
  readonly entries: number;
  readonly seq: number;
  readonly storageBytes: number;
  /** Until when byte-time is summed up, Unix ms: since then the bytes were what they are. */
  readonly stockAtMs: number;
  readonly memoryByteMs: bigint;
  readonly storageByteMs: bigint;
  /** Of the values of all cache entries: as they were given, and as they are packed. */
  readonly rawBytes: number;
  readonly packedBytes: number;
  /** All that live: hot and spilled ones. */
  readonly sessions: number;
  /** What sessions in Redis are charged: part of `memoryBytes`, without the stubs of spilled ones. */
  readonly hotSessionBytes: number;
  /** Part of `sessions`: their data is in S3. */
  readonly spilledSessions: number;
  /** Of their objects in S3: part of `storageBytes`. */
  readonly spilledBytes: number;
  /** Part of `memoryBytes`: of what has no generation, limits, idempotent calls and tombstones of sessions. */
  readonly keptBytes: number;
  /** A checkpoint is told of changes of records that are no newer than this. */
  readonly feedSeq: number;
  /** Under which it is told of them, Unix ms; 0: of none. */
  readonly feedEpochMs: number;
}

/** The counters of a tenant that did nothing yet. */
export const NO_COUNTERS = 'm5,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0';

const M1 = /^m1(?:,\d+){13}$/;
const M2 = /^m2(?:,\d+){21}$/;
const M3 = /^m3(?:,\d+){24}$/;
const M4 = /^m4(?:,\d+){28}$/;
const M5 = /^m5(?:,\d+){31}$/;
/** Numbers of m2 before access µs. */
const M2_BEFORE_ACCESS = 11;
/** What the high limb of byte-time counts. */
const LIMB = 1_000_000_000_000_000n;

/** @throws {RangeError} not written by a script. */
export function unpackCounters(text: string): Counters {
  const [, ...texts] = text.split(',');
  const numbers = texts.map(Number);
  const at = (place: number) => numbers[place] as number;
  if (M1.test(text)) return unpackM1(at);
  if (M2.test(text)) {
    numbers.splice(M2_BEFORE_ACCESS, 0, 0);
    numbers.push(0, 0, 0, 0, 0, 0, 0, 0, 0);
  } else if (M3.test(text)) numbers.push(0, 0, 0, 0, 0, 0, 0);
  else if (M4.test(text)) numbers.push(0, 0, 0);
  else if (!M5.test(text)) throw new RangeError('Not gate counters');
  return {
    minute: at(2),
    operationsThisMinute: at(3),
    periodEndMs: at(4),
    transferBytes: at(5),
    operations: at(6),
    hits: at(7),
    misses: at(8),
    bytesOut: at(9),
    computeUs: at(10),
    accessUs: at(11),
    bytesIn: at(12),
    memoryBytes: at(13),
    entries: at(14),
    seq: at(15),
    storageBytes: at(16),
    stockAtMs: at(17),
    memoryByteMs: BigInt(at(18)) * LIMB + BigInt(at(19)),
    storageByteMs: BigInt(at(20)) * LIMB + BigInt(at(21)),
    rawBytes: at(22),
    packedBytes: at(23),
    sessions: at(24),
    hotSessionBytes: at(25),
    spilledSessions: at(26),
    spilledBytes: at(27),
    keptBytes: at(28),
    feedSeq: at(29),
    feedEpochMs: at(30),
  };
}

/** What quotas are about. */
export type Use = Pick<
  Counters,
  'minute' | 'operationsThisMinute' | 'periodEndMs' | 'transferBytes' | 'memoryBytes' | 'storageBytes'
>;

/** As {@link unpackCounters}, for a third of the time. @throws {RangeError} not written by a script. */
export function unpackUse(text: string): Use {
  const parts = text.split(',');
  if (parts[0] !== 'm5' || parts.length !== 32) return unpackCounters(text);
  const use = {
    minute: Number(parts[3]),
    operationsThisMinute: Number(parts[4]),
    periodEndMs: Number(parts[5]),
    transferBytes: Number(parts[6]),
    memoryBytes: Number(parts[14]),
    storageBytes: Number(parts[17]),
  };
  const sum = use.minute + use.operationsThisMinute + use.periodEndMs + use.transferBytes;
  if (!Number.isFinite(sum + use.memoryBytes + use.storageBytes)) throw new RangeError('Not gate counters');
  return use;
}

const unpackM1 = (at: (place: number) => number): Counters => ({
  minute: at(2),
  operationsThisMinute: at(3),
  periodEndMs: 0,
  transferBytes: 0,
  operations: at(4),
  hits: at(5),
  misses: at(8),
  bytesOut: at(6),
  computeUs: at(7),
  accessUs: 0,
  bytesIn: at(9),
  memoryBytes: at(10),
  entries: at(11),
  seq: at(12),
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
});

/** Points that can be asked for, of each kind. */
export const KEPT_MINUTES = 120;
export const KEPT_HOURS = 168;
export const KEPT_DAYS = 400;
/**
 * Slots of each kind; a point's slot is its number modulo this. More than can be asked for by one point of the next coarser
 * kind: an hour, a day, a month. What had been before the oldest that is asked for is then always known.
 */
export const RING_MINUTES = KEPT_MINUTES + 60;
export const RING_HOURS = KEPT_HOURS + 24;
export const RING_DAYS = KEPT_DAYS + 31;

/** Fields of the gate that hold points. `minute`, `hour`, `day`: since 1970. */
export const minutePoint = (minute: number): string => `u:m${minute % RING_MINUTES}`;
export const hourPoint = (hour: number): string => `u:h${hour % RING_HOURS}`;
export const dayPoint = (day: number): string => `u:d${day % RING_DAYS}`;
/** The field of the month that ended then, Unix ms; kept for ever. */
export const periodPoint = (periodEndMs: number): string => `p:${periodEndMs}`;
