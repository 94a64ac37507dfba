/** Epochs of invalidations that were not settled when a run began: what they hide is not there, though its line may be. */
import * as z from 'zod';
import { parseHead } from '../../cache/entry-format.ts';
import { CorruptValueError } from '../../errors.ts';
import type { CacheRecord } from './checkpoint-line.ts';

type EpochTable = Readonly<Record<string, number>>;

/** Checked as a whole: z.record would leave out a tag called `__proto__`. */
const EpochTable = z.custom<EpochTable>(
  (value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isEpoch),
);
const isEpoch = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;

/** Entries whose seq is at or below one that applies to them are invisible. */
export const InvalidationEpochs = z
  .strictObject({ all: z.int().nonnegative(), namespaces: EpochTable, tags: EpochTable })
  .readonly();
export type InvalidationEpochs = z.infer<typeof InvalidationEpochs>;

export const NO_EPOCHS: InvalidationEpochs = { all: 0, namespaces: {}, tags: {} };

/** @param fields name and epoch by turns, as the gate has them: `n:<namespace>`, `t:<tag>`. */
export function epochsFrom(all: number, fields: readonly string[]): InvalidationEpochs {
  const namespaces: Record<string, number> = Object.create(null);
  const tags: Record<string, number> = Object.create(null);
  for (let i = 0; i < fields.length; i += 2) {
    const [name = '', epoch] = [fields[i], Number(fields[i + 1])];
    if (epoch > 0) (name.startsWith('n:') ? namespaces : tags)[name.slice(2)] = epoch;
  }
  return { all, namespaces, tags };
}

/**
 * What tells whether an entry is hidden by any of these. A seq never comes again, so an epoch hides whatever is at or below
 * it, no matter in which run that stands.
 */
export function createHiding(epochs: readonly InvalidationEpochs[]): (entry: CacheRecord) => boolean {
  const all = Math.max(0, ...epochs.map((each) => each.all));
  const namespaces = newestOf(epochs.map((each) => each.namespaces));
  const tags = newestOf(epochs.map((each) => each.tags));
  return (entry) => {
    const sure = Math.max(all, namespaces.get(entry.namespace) ?? 0);
    if (sure === 0 && tags.size === 0) return false;
    const head = headOf(entry.stored);
    return head !== null && head.seq <= Math.max(sure, ...head.tags.map((tag) => tags.get(tag) ?? 0));
  };
}

function newestOf(tables: readonly EpochTable[]): ReadonlyMap<string, number> {
  const newest = new Map<string, number>();
  for (const [name, epoch] of tables.flatMap((table) => Object.entries(table)))
    newest.set(name, Math.max(newest.get(name) ?? 0, epoch));
  return newest;
}

/** Null: it was damaged in Redis. It is not hidden: whoever reads it finds it as it was. */
function headOf(stored: string): { readonly seq: number; readonly tags: readonly string[] } | null {
  try {
    const { head, meta } = parseHead(stored);
    return { seq: head.seq, tags: meta.tags ?? [] };
  } catch (error) {
    if (error instanceof CorruptValueError) return null;
    throw error;
  }
}
