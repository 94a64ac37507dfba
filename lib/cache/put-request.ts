import { defined } from '../defined.ts';
import type { Input } from '../http/contract.ts';
import { isJsonType, parseJson } from '../http/request-body.ts';
import { isoOf, isoOrNull } from '../iso-time.ts';
import type { SetEntry, SetOutcome } from './cache.ts';
import type { PutEntryResponse, putEntryContract } from './put-contract.ts';

const MAX_VALUE_DEPTH = 1_000;

/**
 * What a PUT asks to store.
 * @throws {InvalidJsonError} a body that says it is JSON and is not.
 */
export function readPut({ headers, query, body }: Input<typeof putEntryContract>): SetEntry {
  const contentType = headers['content-type'] ?? 'application/octet-stream';
  if (isJsonType(contentType)) parseJson(body, MAX_VALUE_DEPTH);
  const meta = defined({
    version: headers['riptide-version'],
    source: headers['riptide-source'],
    tags: headers['riptide-tags'],
    attributes: headers['riptide-attributes'],
  });
  return {
    value: body,
    meta: { content_type: contentType, ...meta },
    ttlMs: query.ttl_seconds,
    condition: conditionOf(headers['if-match'], headers['if-none-match']),
  };
}

export const toPutResponse = (outcome: SetOutcome): PutEntryResponse => ({
  etag: `"${outcome.etag}"`,
  created: outcome.created,
  expires_at: isoOrNull(outcome.expiresAtMs),
  updated_at: isoOf(outcome.updatedAtMs),
  size_bytes: outcome.rawBytes,
  stored_bytes: outcome.storedBytes,
});

function conditionOf(ifMatch: Input<typeof putEntryContract>['headers']['if-match'], ifNoneMatch: '*' | undefined) {
  if (ifNoneMatch === '*') return 'absent';
  if (ifMatch === undefined) return 'none';
  return ifMatch === '*' ? 'exists' : { etags: ifMatch };
}
