import { compareKeys, lowerBound } from './key-index.ts';

/** One page of keys, and of the common prefixes a delimiter rolls them up to. */
export interface ListPage {
  readonly keys: readonly string[];
  readonly commonPrefixes: readonly string[];
  /** The last thing on the page: give it as `after` for the next one. Null: there is no more. */
  readonly next: string | null;
}

export interface ListRequest {
  readonly prefix: string;
  /** Empty: no rolling up. */
  readonly delimiter: string;
  /** Only what comes after it; a common prefix here hides all its keys. Empty: from the beginning. */
  readonly after: string;
  readonly limit: number;
}

/**
 * One page of a sorted list of keys. A common prefix counts as one item, as in S3.
 * @param sorted in the order of {@link lowerBound}.
 */
export function listPage(sorted: readonly string[], { prefix, delimiter, after, limit }: ListRequest): ListPage {
  const keys: string[] = [];
  const commonPrefixes: string[] = [];
  if (limit === 0) return { keys, commonPrefixes, next: null };
  let last = after;
  const first = compareKeys(prefix, after) > 0 ? prefix : after;
  for (let at = lowerBound(sorted, first); at < sorted.length; at += 1) {
    const key = sorted[at] ?? '';
    if (!key.startsWith(prefix)) break;
    const group = rollUp(key, prefix, delimiter);
    if ((group ?? key) === last || key === after) continue;
    if (keys.length + commonPrefixes.length === limit) return { keys, commonPrefixes, next: last };
    if (group === null) keys.push(key);
    else commonPrefixes.push(group);
    last = group ?? key;
  }
  return { keys, commonPrefixes, next: null };
}

function rollUp(key: string, prefix: string, delimiter: string): string | null {
  if (delimiter === '') return null;
  const end = key.indexOf(delimiter, prefix.length);
  return end < 0 ? null : key.slice(0, end + delimiter.length);
}
