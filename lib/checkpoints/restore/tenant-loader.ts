/**
 * Loads records of a checkpoint into a generation that does not serve yet. Ended anywhere, it is done again from the beginning or
 * from where the cursor says: the same records get the same places.
 */
import { AppError } from '../../errors.ts';
import type { Keys } from '../../keys.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import type { TenantPlace } from '../../tenants/tenant-place.ts';
import { type CheckpointRecord, type HotSessionRecord, orderOf } from '../format/checkpoint-line.ts';
import { compareUtf8 } from '../format/utf8-order.ts';
import type { ColdLoading } from './cold-loading.ts';
import { endedAmong } from './coming-records.ts';
import { type LoadedRecord, loadedCold, loadedEntry, loadedHot } from './loaded-record.ts';
import { type LoadedStock, NOTHING_LOADED, withLoaded } from './loaded-stock.ts';
import type { RecordLoad } from './record-load.ts';

/** How far a tenant is loaded; kept in the job's cursor. */
export interface LoadCursor {
  /** Order of the record that was loaded last; null: none. */
  readonly after: string | null;
  readonly stock: LoadedStock;
  /** Sessions that were ended since: they do not come back. */
  readonly terminated: number;
  /** Sessions and entries that have expired, and records that were damaged already. */
  readonly expired: number;
  readonly damaged: number;
}

export const LOAD_BEGINS: LoadCursor = {
  after: null,
  stock: NOTHING_LOADED,
  terminated: 0,
  expired: 0,
  damaged: 0,
};

export interface LoadOptions {
  /** Hot sessions may take so many bytes; the rest is moved to S3. */
  readonly hotBytes: number;
  readonly sessions: boolean;
  readonly cache: boolean;
  /** Unix ms. */
  readonly nowMs: number;
}

/** Records written in one round trip, and bytes of them. */
const BATCH = 256;
const BATCH_BYTES = 2 * 1024 * 1024;

export type TenantLoader = ReturnType<typeof createTenantLoader>;

interface Batch {
  readonly records: CheckpointRecord[];
  bytes: number;
}

export function createTenantLoader(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly cold: ColdLoading;
  readonly recordLoad: RecordLoad;
}) {
  const { redis, keys, cold, recordLoad } = deps;

  /** Without sessions that were ended. */
  const living = async (place: TenantPlace, records: readonly CheckpointRecord[], nowMs: number) => {
    const ended = await endedAmong({ redis, keys }, place, records, nowMs);
    return { records: records.filter((record) => !ended.has(record)), terminated: ended.size };
  };

  const loadedOf = ({ id, generation }: TenantPlace, record: CheckpointRecord): LoadedRecord | null => {
    const key = keys.listedRecord(id, generation, `k\0${orderOf(record)}`);
    try {
      if (record.kind === 'cache') return loadedEntry(record, key);
      return 'hash' in record ? loadedHot(record, key) : loadedCold(record, key);
    } catch (error) {
      if (error instanceof AppError) return null;
      throw error;
    }
  };

  /** Null: the generation is not loaded any more. */
  const write = async (place: TenantPlace, { records }: Batch, cursor: LoadCursor, options: LoadOptions) => {
    const { records: alive, terminated } = await living(place, records, options.nowMs);
    let { stock, expired, damaged } = cursor;
    const loaded: LoadedRecord[] = [];
    const tooMany: HotSessionRecord[] = [];
    for (const record of alive) {
      const found = loadedOf(place, record);
      if (found === null) damaged++;
      else if (expiryOf(found) <= options.nowMs) expired++;
      else if (found.stock.hotBytes > 0 && stock.hotBytes + found.stock.hotBytes > options.hotBytes)
        tooMany.push(record as HotSessionRecord);
      else {
        loaded.push(found);
        stock = withLoaded(stock, found.stock);
      }
    }
    const moved = await cold.toCold(place, tooMany);
    if (moved === null) return null;
    for (const { record } of moved) {
      const found = loadedOf(place, record) as LoadedRecord;
      // Its object is new: no generation had it before.
      loaded.push({ ...found, members: found.members.filter((member) => !member.startsWith('o\0')) });
      stock = withLoaded(stock, found.stock);
    }
    const added = loaded.flatMap(({ members }) => members);
    const removed = moved.map(({ waits }) => waits);
    if (!(await recordLoad(place, { records: loaded, added, removed }))) return null;
    const after = orderOf(records.at(-1) as CheckpointRecord);
    return { after, stock, expired, damaged, terminated: cursor.terminated + terminated };
  };

  return {
    /**
     * Loads until there are no more records, or `isOver`.
     * @param place the generation that is loaded. @returns how far it came, and whether that is the end; null: it is not loaded any more.
     */
    async load(
      place: TenantPlace,
      records: AsyncIterable<CheckpointRecord>,
      begin: LoadCursor,
      { isOver, ...options }: LoadOptions & { readonly isOver: () => boolean },
    ): Promise<{ readonly cursor: LoadCursor; readonly ended: boolean } | null> {
      // While one batch is written the next is read.
      let writing: Promise<LoadCursor | null> = Promise.resolve(begin);
      let batch: Batch = { records: [], bytes: 0 };
      const flush = async () => {
        const before = await writing;
        if (before === null) return false;
        writing = write(place, batch, before, options);
        // Told by whoever waits for it next.
        writing.catch(() => {});
        batch = { records: [], bytes: 0 };
        return true;
      };
      const result = async (ended: boolean) => {
        const cursor = await writing;
        return cursor === null ? null : { cursor, ended };
      };
      try {
        for await (const record of records) {
          if (begin.after !== null && compareUtf8(orderOf(record), begin.after) <= 0) continue;
          if (record.kind === 'cache' ? !options.cache : !options.sessions) continue;
          batch.records.push(record);
          batch.bytes += sizeOf(record);
          if (batch.records.length < BATCH && batch.bytes < BATCH_BYTES) continue;
          if (!(await flush())) return null;
          if (isOver()) return await result(false);
        }
        if (batch.records.length > 0) await flush();
        return await result(true);
      } finally {
        // Nothing is written behind the caller's back.
        await Promise.allSettled([writing]);
      }
    },
  };
}

/** Members of the index that name an entry, at most: each of its tags has one. */
const NAMED_TIMES = 24;

const sizeOf = (record: CheckpointRecord): number => {
  if (record.kind === 'cache') return record.stored.length + NAMED_TIMES * record.key.length;
  if ('stub' in record) return record.stub.length;
  return Object.values(record.hash).reduce((sum, text) => sum + text.length, 0);
};

/** Infinity: never. */
function expiryOf({ members }: LoadedRecord): number {
  const member = members.find((each) => each.startsWith('e\0'));
  return member === undefined ? Number.POSITIVE_INFINITY : Number(member.slice(2, 16));
}
