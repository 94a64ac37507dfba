/**
 * Reads a tenant's records for a checkpoint, by ranges of its index: all of them, or those that changed. A page takes two round trips
 * and about a megabyte, whatever the tenant has. The order is that of the index.
 */
import type { Keys } from '../../keys.ts';
import { readRecords } from '../../redis/bindings/checkpoint-scripts.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { runScript } from '../../redis/script.ts';
import type { TenantPlace } from '../../tenants/tenant-place.ts';
import type { CheckpointLine, CheckpointRecord } from '../format/checkpoint-line.ts';
import { compareUtf8 } from '../format/utf8-order.ts';
import { changedLine, ownName, recordLine } from './record-line.ts';

/** Which records. */
export interface Walk {
  /** Changed under these epochs, both included, Unix ms; null: all. */
  readonly epochs: { readonly from: number; readonly to: number } | null;
  /** Whether entries of the cache are looked at. */
  readonly cache: boolean;
  /** Order of the record that was looked at last; null: none. */
  readonly after: string | null;
}

export interface RecordPage {
  readonly lines: readonly CheckpointLine[];
  /** Of the last record looked at; null: there is none behind. */
  readonly after: string | null;
}

const PAGE = 256;
const PAGE_BYTES = 1024 * 1024;
const KINDS = { first: { cache: 'c\0', sessions: 's\0' }, last: 's\x01' } as const;

export type RecordPages = ReturnType<typeof createRecordPages>;

export function createRecordPages({ redis, keys }: { readonly redis: RedisDriver; readonly keys: Keys }) {
  const range = async ({ id, generation, signal }: TenantPlace, prefix: string, { cache, after }: Walk) => {
    const first =
      after === null ? `[${prefix}${cache ? KINDS.first.cache : KINDS.first.sessions}` : `(${prefix}${after}`;
    const members = await redis.send(
      ['ZRANGE', keys.index(id, generation), first, `(${prefix}${KINDS.last}`, 'BYLEX', 'LIMIT', 0, PAGE],
      { kind: 'read', signal },
    );
    return (members as readonly string[]).map((member) => member.slice(prefix.length));
  };

  /** Epochs that have changes, of those asked for. */
  const epochsOf = async ({ id, generation, signal }: TenantPlace, { from, to }: NonNullable<Walk['epochs']>) => {
    const found: string[] = [];
    for (let first = `[w\0${digits(from)}\0`; ; ) {
      const command = [
        'ZRANGE',
        keys.index(id, generation),
        first,
        `(w\0${digits(to)}\x01`,
        'BYLEX',
        'LIMIT',
        0,
        1,
      ] as const;
      const [member] = (await redis.send(command, { kind: 'read', signal })) as readonly string[];
      if (member === undefined) return found;
      const epoch = member.slice(2, 2 + EPOCH_DIGITS);
      found.push(epoch);
      first = `[w\0${epoch}\x01`;
    }
  };

  /** The next orders; `full`: there may be more. */
  const ordersOf = async (place: TenantPlace, walk: Walk): Promise<{ orders: readonly string[]; full: boolean }> => {
    if (walk.epochs === null) {
      const orders = await range(place, 'k\0', walk);
      return { orders, full: orders.length === PAGE };
    }
    const lists: (readonly string[])[] = [];
    for (const epoch of await epochsOf(place, walk.epochs)) lists.push(await range(place, `w\0${epoch}\0`, walk));
    return merged(lists);
  };

  const read = async ({ id, generation, signal }: TenantPlace, orders: readonly string[]) => {
    const records = orders.map((order) => keys.listedRecord(id, generation, `k\0${order}`));
    return runScript(redis, readRecords, { keys: { records }, args: { maxBytes: PAGE_BYTES }, kind: 'read', signal });
  };

  return {
    /** The next page; two round trips, more only where changes of several epochs wait. @param nowMs Redis' time, Unix ms. */
    async page(place: TenantPlace, walk: Walk, nowMs: number): Promise<RecordPage> {
      const { orders: found, full } = await ordersOf(place, walk);
      const orders = found.filter((order) => order.startsWith('c\0') || order.startsWith('s\0'));
      const records = orders.length === 0 ? [] : await read(place, orders);
      const lineOf = walk.epochs === null ? recordLine : changedLine;
      const lines = records.flatMap((stored, i) => lineOf(orders[i] as string, stored, nowMs) ?? []);
      const isWhole = records.length === orders.length;
      const after = isWhole ? found.at(-1) : orders[records.length - 1];
      return { lines, after: (full || !isWhole) && after !== undefined ? after : null };
    },

    /** One record as it is; null: there is none. @param order as `c\0<namespace>\0<key>` or `s\0<user>\0<ULID>`. */
    async one(place: TenantPlace, order: string, nowMs: number): Promise<CheckpointRecord | null> {
      const [stored = null] = await read(place, [order]);
      return recordLine(order, stored, nowMs);
    },

    /** A session as it is, whosever it is by now; null: there is none. @param order any name it had. */
    async session(place: TenantPlace, order: string, nowMs: number): Promise<CheckpointRecord | null> {
      const [stored = null] = await read(place, [order]);
      const now = ownName(order, stored);
      return now === null ? null : recordLine(now, stored, nowMs);
    },

    /** Whether anything changed under these epochs; for many tenants at once: one command each. */
    changesCommand: (place: Pick<TenantPlace, 'id' | 'generation'>, { from, to }: NonNullable<Walk['epochs']>) =>
      [
        'ZRANGE',
        keys.index(place.id, place.generation),
        `[w\0${digits(from)}\0`,
        `(w\0${digits(to)}\x01`,
        'BYLEX',
        'LIMIT',
        0,
        1,
      ] as const,
  };
}

const EPOCH_DIGITS = 14;
const digits = (epoch: number): string => String(epoch).padStart(EPOCH_DIGITS, '0');

/** Up to where all lists were read. */
function merged(lists: readonly (readonly string[])[]) {
  const full = lists.filter((list) => list.length === PAGE);
  const bounds = full.map((list) => list.at(-1) as string).toSorted(compareUtf8);
  const bound = bounds[0];
  const all = [...new Set(lists.flat())].toSorted(compareUtf8);
  const orders = bound === undefined ? all : all.filter((order) => compareUtf8(order, bound) <= 0);
  return { orders, full: bound !== undefined };
}
