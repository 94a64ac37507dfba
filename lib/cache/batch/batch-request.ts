/** What a batch asks for, and what its answer says of each item. Pure. */
import { isUtf8 } from 'node:buffer';
import { defined } from '../../defined.ts';
import { type AppError, InvalidJsonError } from '../../errors.ts';
import { MAX_REPLY_BYTES } from '../../http/reply.ts';
import { isoOf, isoOrNull } from '../../iso-time.ts';
import type { StoredEntry, StoredHead } from '../entry.ts';
import { conditionOf } from '../entry-call.ts';
import { requireTruth } from '../value-truth.ts';
import type { BatchItem, SetItem } from './batch-contract.ts';
import type { ReadItem } from './batch-reader.ts';
import type { RemoveItem } from './batch-remover.ts';
import type { BatchEntry, WriteItem } from './batch-writer.ts';

/** Beside the items. */
const FRAME_BYTES = 64;
/** Values to read for one answer: as JSON they are no shorter. */
export const MAX_VALUE_BYTES = MAX_REPLY_BYTES;

export function toBatchEntry(item: SetItem): BatchEntry {
  const { key, value, value_base64: base64, ttl_seconds: ttl, grace_seconds: grace } = item;
  const fallback = base64 === undefined ? 'text/plain; charset=utf-8' : 'application/octet-stream';
  const { content_type = fallback, version, source, tags, attributes } = item;
  return {
    key,
    value: base64 === undefined ? Buffer.from(value ?? '', 'utf8') : Buffer.from(base64, 'base64'),
    meta: { content_type, ...defined({ version, source, tags: tags && [...new Set(tags)], attributes }) },
    ttlMs: ttl === 'never' || ttl === null ? null : ttl && ttl * 1_000,
    graceMs: grace === undefined ? undefined : grace * 1_000,
    condition: conditionOf(item.if_match, item.if_none_match),
  };
}

/** Why the value is not what its content type says; null: it may be. */
export function findUntruth(entry: BatchEntry): AppError | null {
  try {
    requireTruth(entry);
    return null;
  } catch (error) {
    if (error instanceof InvalidJsonError) return error;
    throw error;
  }
}

export function toReadItem(item: ReadItem): BatchItem {
  const { key, status } = item;
  if (item.status === 'error') return { key, status, ...failureOf(item.error) };
  if (item.status === 'too_large') return { key, status, code: 'reply_too_large', ...headFields(item.entry) };
  if (item.status !== 'hit') return { key, status };
  const { entry } = item;
  return { key, status, ...('value' in entry ? valueFields(entry) : {}), ...headFields(entry) };
}

export function toWriteItem(item: WriteItem): BatchItem {
  const { key, status } = item;
  if ('error' in item) return { key, status, ...failureOf(item.error) };
  const { etag, expiresAtMs, freshUntilMs, rawBytes } = item.stored;
  const times = { expires_at: isoOrNull(expiresAtMs), fresh_until: isoOrNull(freshUntilMs) };
  return { key, status, etag: `"${etag}"`, size_bytes: rawBytes, ...times };
}

export const toRemoveItem = (item: RemoveItem): BatchItem =>
  item.status === 'error'
    ? { key: item.key, status: item.status, ...failureOf(item.error) }
    : { key: item.key, status: item.status };

/** What is said of an entry beside its value. */
export function headFields(entry: StoredHead) {
  const { meta, etag, rawBytes, expiresAtMs, freshUntilMs, updatedAtMs, stale } = entry;
  const { content_type, version, source, tags, attributes } = meta;
  return {
    etag: `"${etag}"`,
    size_bytes: rawBytes,
    content_type,
    ...defined({ version, source, tags: tags && [...tags], attributes }),
    expires_at: isoOrNull(expiresAtMs),
    fresh_until: isoOrNull(freshUntilMs),
    updated_at: isoOf(updatedAtMs),
    ...(stale ? { stale: true as const } : {}),
  };
}

/**
 * The items as far as they fit into one reply, in their order. What does not is left out and `deferred`; one that would not fit
 * alone is `too_large`: it is for a call of its own.
 */
export function fitReply(items: readonly BatchItem[]): BatchItem[] {
  const shortOf = ({ key }: BatchItem): BatchItem => ({ key, status: 'deferred' });
  const room = MAX_REPLY_BYTES - FRAME_BYTES;
  let bytes = items.reduce((sum, item) => sum + bytesOf(shortOf(item)), 0);
  return items.map((item) => {
    const short = shortOf(item);
    const more = bytesOf(item) - bytesOf(short);
    if (bytes + more <= room) {
      bytes += Math.max(0, more);
      return item;
    }
    const { value: _value, value_base64: _base64, ...head } = item;
    const alone = bytesOf(item) > room;
    const large = { ...head, status: 'too_large', code: 'reply_too_large' };
    const extra = bytesOf(large) - bytesOf(short);
    if (!alone || bytes + extra > room) return short;
    bytes += extra;
    return large;
  });
}

const bytesOf = (item: BatchItem) => Buffer.byteLength(JSON.stringify(item)) + 1;

const valueFields = ({ value }: StoredEntry) =>
  isUtf8(value) ? { value: value.toString('utf8') } : { value_base64: value.toString('base64') };

const failureOf = ({ code, message }: AppError) => ({ code, detail: message });
