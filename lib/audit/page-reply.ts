/** A page of the log as an answer: JSON, or the lines themselves. */
import { CorruptValueError } from '../errors.ts';
import type { Result } from '../http/result.ts';
import type { AuditPage } from './audit.ts';
import type { AuditResponse } from './contract.ts';

export const NDJSON = 'application/x-ndjson';

/** What the caller asks for: the query wins over `Accept`. */
export const wantsLines = (format: 'json' | 'ndjson' | undefined, accept: string | undefined): boolean =>
  format === undefined ? (accept ?? '').toLowerCase().includes(NDJSON) : format === 'ndjson';

/** @throws {CorruptValueError} as JSON, an entry cannot be read; as lines it is given as it is. */
export function pageReply(page: AuditPage, asLines: boolean): Result {
  const { lines, next, head } = page;
  const headers = {
    'riptide-audit-head': `${head.seq}:${head.hash}`,
    ...(next === null ? {} : { 'riptide-next-cursor': String(next) }),
  };
  if (asLines) {
    const bytes = Buffer.from(lines.map(({ text }) => `${text}\n`).join(''));
    return { status: 200, headers: { ...headers, 'content-type': NDJSON }, bytes };
  }
  return { status: 200, headers, data: jsonOf(page) };
}

function jsonOf({ lines, next, head }: AuditPage): AuditResponse {
  const items = lines.map(({ seq, entry }) => {
    if (entry === null)
      throw new CorruptValueError('An audit entry cannot be read; ask for NDJSON to see it as it is', {
        details: { seq },
      });
    return entry;
  });
  return { items, next_cursor: next === null ? null : String(next), head };
}
