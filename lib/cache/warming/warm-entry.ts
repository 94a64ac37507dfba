/** Entries to be loaded, as a request or a line of an export names them: checked one by one, so that none stops the others. */
import { defined } from '../../defined.ts';
import { AppError, InvalidRequestError } from '../../errors.ts';
import type { EntryMeta } from '../entry-format.ts';
import { checkEntry, checkName } from '../entry-rules.ts';
import type { ExportItem } from '../exports/export-format.ts';
import { requireTruth } from '../value-truth.ts';
import type { LoadedEntry } from './load-plan.ts';
import type { WarmEntry } from './warm-contract.ts';

/** Milliseconds; null never; undefined: not said. */
export type WarmTtl = number | null | undefined;

/** What can be loaded, or why it cannot; `detail` has no value. */
export type Checked = { readonly entry: LoadedEntry } | { readonly detail: string };

/** @param ttlMs of an entry that names none. */
export function checkWarmEntry(given: WarmEntry, ttlMs: WarmTtl): Checked {
  const { namespace, key, ttl_seconds: ttl = undefined, grace_seconds: grace } = given;
  const own = ttl === undefined ? ttlMs : ttl === 'never' ? null : ttl * 1000;
  const graceMs = grace === undefined ? undefined : grace * 1000;
  return checked(() => {
    const meta = metaOf(given);
    const name = { namespace, key };
    checkName(name);
    checkEntry({ meta, ttlMs: own, graceMs });
    const value = bytesOf(given);
    requireTruth({ value, meta });
    return { name, value, meta, lifetime: { ttlMs: own, graceMs } };
  });
}

/** @param ttlMs takes the place of what is left to the entry. */
export function checkLine(item: ExportItem, ttlMs: WarmTtl): Checked {
  if ('problem' in item) return { detail: item.problem };
  const { name, value, meta, expiresAtMs, freshUntilMs } = item.entry;
  const lifetime = ttlMs === undefined ? { until: { expiresAtMs, freshUntilMs } } : { ttlMs, graceMs: 0 };
  return { entry: { name, value, meta, lifetime } };
}

function checked(read: () => LoadedEntry): Checked {
  try {
    return { entry: read() };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const [issue] = error.issues ?? [];
    return { detail: issue === undefined ? error.message : `${issue.field} ${issue.message}` };
  }
}

const metaOf = ({ content_type, version, source, tags, attributes }: WarmEntry): EntryMeta =>
  defined({
    content_type: content_type ?? 'application/octet-stream',
    version,
    source,
    tags: tags === undefined || tags.length === 0 ? undefined : [...new Set(tags)],
    attributes,
  }) as EntryMeta;

function bytesOf({ value, value_base64: base64 }: WarmEntry): Buffer {
  if ((value === undefined) === (base64 === undefined)) throw bad('value', 'must be there, or value_base64, not both');
  if (value !== undefined) {
    if (!value.isWellFormed()) throw bad('value', 'must be well-formed text');
    return Buffer.from(value);
  }
  const bytes = Buffer.from(base64 as string, 'base64');
  if (bytes.toString('base64') !== base64) throw bad('value_base64', 'must be base64 with its padding');
  return bytes;
}

const bad = (field: string, message: string) =>
  new InvalidRequestError('The entry cannot be loaded', { issues: [{ field, message }] });
