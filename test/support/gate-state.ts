/** A tenant's gate by hand: its limits, and the limiter and counters as a test wants them, against Redis' own time. */
import type { App } from '../../lib/app.ts';
import { type Limits, packLimits, unpackLimits } from '../../lib/gate/gate-fields.ts';
import type { TenantId } from '../../lib/ids.ts';
import { redisTimeUs } from './redis-time.ts';
import { keysOf } from './tenant-state.ts';

/** Names of the numbers of field `m`, in their order. */
const NUMBERS = [
  'level',
  'at',
  'minute',
  'minuteOps',
  'periodEnd',
  'transfer',
  'ops',
  'hits',
  'misses',
  'bytesOut',
  'computeUs',
  'accessUs',
  'bytesIn',
  'memory',
  'entries',
  'seq',
  'storage',
  'stockAt',
  'memoryHi',
  'memoryLo',
  'storageHi',
  'storageLo',
  'raw',
  'packed',
  'sessions',
  'hotBytes',
  'spilled',
  'spilledBytes',
  'kept',
  'feedSeq',
  'feedEpoch',
] as const;

/** Field `m`: the limiter's state and the counters, exact. */
export type Meter = Readonly<Record<(typeof NUMBERS)[number], bigint>>;

/** One operation in the limiter's unit. */
export const OPERATION = 60_000_000n;
/** Longer than any test: a level set so far ahead does not drain while it is looked at. */
export const AN_HOUR_US = 3_600_000_000n;

const READ = { kind: 'read' } as const;
const WRITE = { kind: 'write' } as const;

export function gateState(app: Pick<App, 'config' | 'redis'>, id: TenantId) {
  const gate = keysOf(app).gate(id);
  const read = async (field: string) => (await app.redis.send(['HGET', gate, field], READ)) as string;
  const write = async (field: string, text: string) => void (await app.redis.send(['HSET', gate, field, text], WRITE));

  return {
    read,
    write,
    /** Redis' own time, Unix µs. */
    timeUs: (): Promise<bigint> => redisTimeUs(app),
    async meter(): Promise<Meter> {
      const [, ...numbers] = (await read('m')).split(',');
      return Object.fromEntries(NUMBERS.map((name, i) => [name, BigInt(numbers[i] as string)])) as Meter;
    },
    /** Changes some numbers of `m`. */
    async setMeter(changes: Partial<Meter>): Promise<void> {
      const meter = { ...(await this.meter()), ...changes };
      await write('m', ['m5', ...NUMBERS.map((name) => meter[name])].join(','));
    },
    /** Changes limits as administration does. */
    async setLimits(changes: Partial<Limits>): Promise<void> {
      await write('h', packLimits({ ...unpackLimits(await read('h')), ...changes }));
    },
    /** Sets operations a minute and the burst apart from each other, which administration does not. */
    async setRate(operationsPerMinute: number, burst: number): Promise<void> {
      const parts = (await read('h')).split(',');
      await write('h', parts.with(4, `${operationsPerMinute}`).with(5, `${burst}`).join(','));
    },
  };
}
