/** The stored state of a limit by hand: includes/limit-state.lua. */
import type { App } from '../../lib/app.ts';
import type { TenantId } from '../../lib/ids.ts';
import { expiryMember } from './index-member.ts';
import { keysOf } from './tenant-state.ts';

export interface LimitState {
  readonly algorithm: 'f' | 'b';
  readonly limit: number;
  readonly windowMs: number;
  readonly used: bigint;
  readonly sinceMs: number;
  readonly indexedMs: number;
  readonly ops: string;
}

const FORMAT = /^l1,([fb]),(\d{7}),(\d{10}),(\d{16}),(\d{14}),(\d{14}),([0-9a-f-]{136})$/;

export function limitState(app: Pick<App, 'config' | 'redis'>, id: TenantId, name: string, identifier: string) {
  const key = keysOf(app).limit(id, { namespace: name, key: identifier });
  const read = async (): Promise<LimitState | null> => {
    const text = (await app.redis.send(['GET', key], { kind: 'read' })) as string | null;
    if (text === null) return null;
    const match = FORMAT.exec(text);
    if (match === null) throw new RangeError(`Not the state of a limit: ${text}`);
    const [, algorithm, limit, windowMs, used, since, indexed, ops] = match as unknown as string[];
    return {
      algorithm: algorithm as 'f' | 'b',
      limit: Number(limit),
      windowMs: Number(windowMs),
      used: BigInt(used as string),
      sinceMs: Number(since),
      indexedMs: Number(indexed),
      ops: ops as string,
    };
  };
  const write = async (state: LimitState): Promise<void> => {
    const digits = (value: number | bigint, width: number) => String(value).padStart(width, '0');
    const { algorithm, limit, windowMs, used, sinceMs, indexedMs, ops } = state;
    const numbers = [
      digits(limit, 7),
      digits(windowMs, 10),
      digits(used, 16),
      digits(sinceMs, 14),
      digits(indexedMs, 14),
    ];
    await app.redis.send(['SET', key, ['l1', algorithm, ...numbers, ops].join(',')], { kind: 'write' });
  };
  return {
    key,
    read,
    write,
    /** Lists the record under another expiry, as if it had been made then. */
    async listUnder(indexedMs: number): Promise<void> {
      const state = (await read()) as LimitState;
      const member = (ms: number) => expiryMember({ namespace: name, key: identifier }, ms, 'l');
      const index = keysOf(app).keptIndex(id);
      await app.redis.send(['ZREM', index, member(state.indexedMs)], { kind: 'write' });
      await app.redis.send(['ZADD', index, 0, member(indexedMs)], { kind: 'write' });
      await write({ ...state, indexedMs });
    },
    /** As if this much time had passed since the last call. */
    async pass(ms: number): Promise<void> {
      const state = await read();
      if (state !== null) await write({ ...state, sinceMs: state.sinceMs - ms });
    },
  };
}
