import { defined } from '../defined.ts';
import { InvalidRequestError } from '../errors.ts';
import type { Input } from '../http/contract.ts';
import { isoOf, isoOrNull } from '../iso-time.ts';
import type { EntryName } from '../keys.ts';
import type { SetEntry, SetOutcome } from './cache.ts';
import { conditionOf } from './entry-call.ts';
import type { BegunUpload } from './large/uploads.ts';
import type { BeginUploadResponse, PutEntryResponse, putEntryContract } from './put-contract.ts';
import { requireTruth } from './value-truth.ts';

const NOT_EMPTY = { field: 'body', message: 'must be empty where there is no value' };

/**
 * What a PUT asks to store.
 * @throws {InvalidJsonError} a body that says it is JSON and is not. @throws {InvalidRequestError} a value of what is absent.
 */
export function readPut(input: Input<typeof putEntryContract>): SetEntry {
  const { body } = input;
  const entry = { ...readPutMeta(input), value: body };
  if (entry.meta.negative && body.length > 0) {
    throw new InvalidRequestError(NOT_EMPTY.message, { issues: [NOT_EMPTY] });
  }
  requireTruth(entry);
  return entry;
}

/** The same of a value that was uploaded; whether it is the JSON it says it is, nobody looks. */
export function readPutMeta({ headers, query }: Input<typeof putEntryContract>): Omit<SetEntry, 'value'> {
  const contentType = headers['content-type'] ?? 'application/octet-stream';
  const negative = query.negative === 'true';
  const meta = defined({
    version: headers['riptide-version'],
    source: headers['riptide-source'],
    tags: headers['riptide-tags'],
    attributes: headers['riptide-attributes'],
  });
  return {
    meta: { content_type: contentType, ...meta, ...(negative ? { negative } : {}) },
    ttlMs: query.ttl_seconds,
    graceMs: query.grace_seconds,
    lease: headers['riptide-lease'],
    condition: conditionOf(headers['if-match'], headers['if-none-match']),
  };
}

/** @throws {InvalidRequestError} there is a body where the value comes by an upload. */
export function requireNoBody({ length }: Buffer): void {
  if (length === 0) return;
  const issues = [{ field: 'body', message: 'must be empty: the value is uploaded' }];
  throw new InvalidRequestError('An upload begins and ends without a body', { issues });
}

export const toBegunResponse = (
  { uploadId, url, headers, expiresAtMs }: BegunUpload,
  { namespace, key }: EntryName,
): BeginUploadResponse => ({
  upload_id: uploadId,
  url,
  method: 'PUT',
  headers: { ...headers },
  expires_at: isoOf(expiresAtMs),
  commit: `/cache/${namespace}/${key.split('/').map(encodeURIComponent).join('/')}?upload_id=${uploadId}`,
});

export const toPutResponse = (outcome: SetOutcome): PutEntryResponse => ({
  etag: `"${outcome.etag}"`,
  created: outcome.created,
  expires_at: isoOrNull(outcome.expiresAtMs),
  fresh_until: isoOrNull(outcome.freshUntilMs),
  updated_at: isoOf(outcome.updatedAtMs),
  size_bytes: outcome.rawBytes,
  stored_bytes: outcome.storedBytes,
});
