/** What a listing shows of an object. */
export interface IndexEntry {
  readonly key: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly modifiedAtMs: number;
  readonly storageClass: string;
}

/**
 * The keys of one bucket, in S3's order: by their UTF-8 bytes. Sorted when first listed, kept sorted from then on.
 */
export function createKeyIndex() {
  const entries = new Map<string, IndexEntry>();
  let sorted: string[] | null = null;

  return {
    get: (key: string): IndexEntry | undefined => entries.get(key),
    size: (): number => entries.size,
    set(entry: IndexEntry): void {
      if (sorted !== null && !entries.has(entry.key)) sorted.splice(lowerBound(sorted, entry.key), 0, entry.key);
      entries.set(entry.key, entry);
    },
    delete(key: string): boolean {
      const existed = entries.delete(key);
      if (existed && sorted !== null) sorted.splice(lowerBound(sorted, key), 1);
      return existed;
    },
    /** All keys in order; not to be changed. */
    sortedKeys(): readonly string[] {
      sorted ??= [...entries.keys()].sort(compareKeys);
      return sorted;
    },
  };
}

export type KeyIndex = ReturnType<typeof createKeyIndex>;

/** The first position whose key is not before `key`. */
export function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(keys[middle] ?? '', key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Order of UTF-8 bytes. JavaScript compares UTF-16 units, which differs only where a surrogate meets U+E000 or above. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const unitA = a.charCodeAt(at);
    const unitB = b.charCodeAt(at);
    if (unitA !== unitB) return utf8Rank(unitA) - utf8Rank(unitB);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above U+FFFF, so they rank above every other unit. */
const utf8Rank = (unit: number) => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);
