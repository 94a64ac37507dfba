/** Which entries one page of the log looks at, and what it gives of them. Pure. */
import { parseSealed, type SealedEntry } from './chain.ts';

export interface AuditFilter {
  readonly tenantId?: string | undefined;
  readonly action?: string | undefined;
}

export interface PageRequest extends AuditFilter {
  readonly order: 'asc' | 'desc';
  readonly limit: number;
  /** Number of the last entry that the page before looked at. */
  readonly after?: number | undefined;
}

/** Numbers from `from` to `to`, both included. */
export interface SeqRange {
  readonly from: number;
  readonly to: number;
}

/** A line of the log; its entry is null when it cannot be read. */
export interface AuditLine {
  readonly seq: number;
  readonly text: string;
  readonly entry: SealedEntry | null;
}

export interface PageLines {
  readonly lines: readonly AuditLine[];
  /** As a cursor; null: nothing is left. */
  readonly next: number | null;
}

/** Entries looked at for one page, at most. */
const MAX_LOOKED_AT = 1_000;

const isFiltered = ({ tenantId, action }: AuditFilter): boolean => tenantId !== undefined || action !== undefined;

/** What to look at: a filter looks further than its page is long. Empty when `to` is below `from`. */
export function rangeOf(request: PageRequest, headSeq: number): SeqRange {
  const size = isFiltered(request) ? MAX_LOOKED_AT : Math.min(request.limit, MAX_LOOKED_AT);
  if (request.order === 'asc') {
    const from = (request.after ?? 0) + 1;
    return { from, to: Math.min(from + size - 1, headSeq) };
  }
  const to = Math.min((request.after ?? Number.POSITIVE_INFINITY) - 1, headSeq);
  return { from: Math.max(1, to - size + 1), to };
}

/** `found`: the lines of the range, by number. One that cannot be read is left in where nothing is filtered. */
export function pageOf(
  request: PageRequest,
  { from, to }: SeqRange,
  found: ReadonlyMap<number, string>,
  headSeq: number,
): PageLines {
  const isUp = request.order === 'asc';
  const lines: AuditLine[] = [];
  let seq = isUp ? from : to;
  for (; seq >= from && seq <= to && lines.length < request.limit; seq += isUp ? 1 : -1) {
    const text = found.get(seq);
    if (text === undefined) continue;
    const entry = parseSealed(text);
    if (matches(request, entry)) lines.push({ seq, text, entry });
  }
  const looked = isUp ? seq - 1 : seq + 1;
  const isLast = to < from || (isUp ? looked >= headSeq : looked <= 1);
  return { lines, next: isLast ? null : looked };
}

function matches(filter: AuditFilter, entry: SealedEntry | null): boolean {
  if (!isFiltered(filter)) return true;
  if (entry === null) return false;
  const { tenantId = entry.tenant_id, action = entry.action } = filter;
  return entry.tenant_id === tenantId && entry.action === action;
}
