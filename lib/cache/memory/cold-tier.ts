/**
 * Moves values of entries to S3 and back, as they are packed and sealed: nothing is opened. Only a script changes an entry, and
 * only if it is still the one that was read; so whoever dies in between leaves an object that is collected, and the entry.
 */
import { sha256Of } from '../../blobs/sha256.ts';
import { BlobUnavailableError, StorageFullError } from '../../errors.ts';
import type { Keys } from '../../keys.ts';
import type { Telemetry } from '../../metrics/telemetry.ts';
import { moveCacheEntry } from '../../redis/bindings/cache-invalidation-scripts.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { runScript } from '../../redis/script.ts';
import type { TenantPlace } from '../../tenants/tenant-place.ts';
import type { Corruption } from '../corruption.ts';
import { type EntryBody, packBody, parseEntry, parseHead, stubText } from '../entry-format.ts';
import { toObjectBytes, toPayload } from '../large/blob-format.ts';
import type { BlobValues } from '../large/blob-values.ts';
import type { FoundEntry } from './coldest-entries.ts';

/** Payloads that are smaller cost more to move than they free. */
const MIN_PAYLOAD_BYTES = 1_024;
/** An entry that ends sooner is not worth an object. */
const MIN_LIFE_MS = 60_000;
/** Objects written or read at once. */
const AT_ONCE = 8;
const MOVED = 1;

export interface Moved {
  readonly moved: number;
  /** Of memory: freed, or used. */
  readonly bytes: number;
  /** Of objects. */
  readonly objectBytes: number;
}

const NOTHING: Moved = { moved: 0, bytes: 0, objectBytes: 0 };

export type ColdTier = ReturnType<typeof createColdTier>;

export function createColdTier(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly config: { readonly inlineMaxBytes: number };
  readonly blobValues: Pick<BlobValues, 'write' | 'read'>;
  readonly corruption: Pick<Corruption, 'is'>;
  readonly telemetry: Pick<Telemetry, 'count'>;
  /** Unix ms: only chooses what is worth it. */
  readonly now: () => number;
}) {
  const { redis, keys, config, blobValues, corruption, telemetry, now } = deps;

  const move = async (
    { id, generation, signal }: TenantPlace,
    record: string,
    to: Pick<EntryBody, 'metaBytes' | 'tagBytes' | 'codec' | 'body'> & {
      readonly seq: number;
      readonly blob: string;
      readonly blobUntil: number;
      readonly memoryShare: number;
    },
  ) =>
    runScript(redis, moveCacheEntry, {
      keys: { gate: keys.gate(id), index: keys.index(id, generation), entry: record },
      args: to,
      kind: 'write',
      signal,
    });

  /** Whether it frees more than it costs. */
  const isWorthIt = ({ access }: FoundEntry, { head, payload }: ParsedEntry): boolean => {
    const endsSoon = head.expiresAtMs !== null && head.expiresAtMs - now() < MIN_LIFE_MS;
    return access !== '' && head.blob === null && !endsSoon && payload.length >= MIN_PAYLOAD_BYTES;
  };

  /** One value to S3. @throws {BlobUnavailableError} the entry is as it was. */
  const moveOut = async (place: TenantPlace, { record }: FoundEntry, parsed: ParsedEntry): Promise<Moved> => {
    const { head, meta, metaText: text, payload } = parsed;
    const object = { codec: head.codec, bytes: toObjectBytes(head.codec, payload), rawBytes: head.rawBytes };
    const { ref, untilMs } = await blobValues.write(place.id, place.generation, object, place.signal);
    const body = stubText(text, sha256Of(object.bytes));
    const { outcome, bytes } = await move(place, record, {
      seq: head.seq,
      metaBytes: body.length,
      tagBytes: meta.tags?.join(',').length ?? 0,
      blob: `${ref.ulid}.${ref.bytes}`,
      blobUntil: untilMs,
      codec: head.codec,
      memoryShare: 0,
      body,
    });
    if (outcome !== MOVED) return NOTHING;
    telemetry.count('riptide_cache_spilled_total');
    return { moved: 1, bytes, objectBytes: ref.bytes };
  };

  /**
   * One value back into Redis. What does not get the same ETag there stays: a value that was too large when it was written.
   * @param object its bytes, where they were read already.
   * @param turn until then it does not take room that is for one before it.
   */
  const moveIn = async (place: TenantPlace, { record, stored, object, memoryShare, turn }: MoveIn): Promise<Moved> => {
    const { head, meta } = parseHead(stored);
    const { blob, codec } = head;
    if (blob === null || blob.bytes > config.inlineMaxBytes || codec === 'raw') return NOTHING;
    const bytes = object ?? (await blobValues.read(place.id, blob, place.signal));
    const packed = packBody(meta, codec, toPayload(codec, bytes), head.rawBytes);
    if (packed.digest !== head.digest) return NOTHING;
    const { metaBytes, tagBytes, body } = packed;
    const to = { seq: head.seq, metaBytes, tagBytes, blob: '-', blobUntil: 0, codec, memoryShare, body };
    await turn;
    const { outcome, bytes: freed } = await move(place, record, to);
    if (outcome !== MOVED) return NOTHING;
    telemetry.count('riptide_cache_promoted_total');
    return { moved: 1, bytes: -freed, objectBytes: blob.bytes };
  };

  /** Does it for each, some at once, until `enough` bytes were moved; those that are gone or damaged are passed over. */
  const each = async (
    { signal }: TenantPlace,
    found: readonly FoundEntry[],
    one: (entry: FoundEntry, stored: string) => Work | null,
    enough = Number.POSITIVE_INFINITY,
  ): Promise<Moved> => {
    const sum = { moved: 0, bytes: 0, objectBytes: 0 };
    for (let at = 0; at < found.length && sum.bytes < enough && !signal?.aborted; at += AT_ONCE) {
      const some = found.slice(at, at + AT_ONCE);
      const texts = await redis.sendAll(
        some.map(({ record }) => ['GET', record]),
        { kind: 'read', signal },
      );
      let expected = sum.bytes;
      const running: Promise<Moved>[] = [];
      for (const [i, entry] of some.entries()) {
        const stored = texts[i];
        const earlier = Promise.allSettled([...running]);
        const start = async () => {
          if (typeof stored !== 'string' || expected >= enough) return NOTHING;
          const work = one(entry, stored);
          expected += work?.bytes ?? 0;
          return work === null ? NOTHING : work.run(earlier);
        };
        running.push(start());
      }
      const done = await Promise.allSettled(running);
      for (const outcome of done) {
        if (outcome.status === 'rejected') {
          if (!corruption.is(outcome.reason)) throw outcome.reason;
          continue;
        }
        sum.moved += outcome.value.moved;
        sum.bytes += outcome.value.bytes;
        sum.objectBytes += outcome.value.objectBytes;
      }
    }
    return sum;
  };

  return {
    /**
     * Values to S3, of those that are worth it, until they were about so many bytes.
     * @throws {BlobUnavailableError} nothing is lost; some may have been moved.
     */
    spill: (place: TenantPlace, found: readonly FoundEntry[], bytes: number): Promise<Moved> =>
      each(
        place,
        found,
        (entry, stored) => {
          const parsed = parseEntry(stored);
          if (!isWorthIt(entry, parsed)) return null;
          return { bytes: parsed.payload.length, run: () => moveOut(place, entry, parsed) };
        },
        bytes,
      ),

    /**
     * Values back into Redis while the tenant then uses at most `memoryShare` thousandths of its memory.
     * @throws {BlobUnavailableError}
     */
    warm: (place: TenantPlace, found: readonly FoundEntry[], memoryShare: number): Promise<Moved> =>
      each(place, found, ({ record }, stored) => ({
        bytes: 0,
        run: (turn) => moveIn(place, { record, stored, object: null, memoryShare, turn }),
      })),

    /** A value that was just read from S3, back into Redis if there is plenty of room. Never fails: the read went well. */
    async promote(
      place: TenantPlace,
      entry: { readonly record: string; readonly stored: string; readonly object: Buffer },
    ) {
      await moveIn(place, { ...entry, memoryShare: PROMOTED_UP_TO }).catch(() =>
        telemetry.count('riptide_cache_promotion_failed_total'),
      );
    },
  };
}

/** Thousandths of a tenant's memory: above 800 values are moved out again. */
const PROMOTED_UP_TO = 800;

type ParsedEntry = ReturnType<typeof parseEntry>;

interface Work {
  /** It will move about so many. */
  readonly bytes: number;
  /** @param earlier settles when those before it did. */
  run(earlier: Promise<unknown>): Promise<Moved>;
}

interface MoveIn {
  readonly record: string;
  /** The stub. */
  readonly stored: string;
  readonly object: Buffer | null;
  readonly memoryShare: number;
  readonly turn?: Promise<unknown>;
}

/** Whether S3 did not answer, or Redis has no room to name an object: what needs it waits for the next run. */
export const isStoreDown = (error: unknown): boolean =>
  error instanceof BlobUnavailableError || error instanceof StorageFullError;
