import type { Result } from '../http/result.ts';
import type { ValueLinkResponse } from './contract.ts';
import type { StoredHead } from './entry.ts';
import type { LinkedEntry } from './large/value-links.ts';

/** What a reply says of an entry beside its value. */
export function entryHeaders(entry: StoredHead): Record<string, string> {
  const { meta, etag, expiresAtMs, freshUntilMs, stale, ageMs, rawBytes, memoryBytes, packedBy } = entry;
  const headers: Record<string, string> = {
    'content-type': meta.content_type,
    etag: `"${etag}"`,
    age: String(Math.floor(ageMs / 1000)),
    'riptide-expires-at': expiresAtMs === null ? 'never' : new Date(expiresAtMs).toISOString(),
    'riptide-size-bytes': String(rawBytes),
    'cache-control': 'private, no-cache',
  };
  if (memoryBytes !== undefined) headers['riptide-memory-bytes'] = String(memoryBytes);
  if (packedBy !== undefined) headers['riptide-compression'] = packedBy;
  if (freshUntilMs !== null) headers['riptide-fresh-until'] = new Date(freshUntilMs).toISOString();
  if (stale) headers['riptide-stale'] = 'true';
  if (meta.version !== undefined) headers['riptide-version'] = meta.version;
  if (meta.source !== undefined) headers['riptide-source'] = meta.source;
  if (meta.tags !== undefined) headers['riptide-tags'] = meta.tags.join(', ');
  if (meta.attributes !== undefined)
    headers['riptide-attributes'] = encodeURIComponent(JSON.stringify(meta.attributes));
  return headers;
}

/** Where a value is that does not fit into a reply. @param inHeader the caller does not follow redirects. */
export function linkReply(entry: LinkedEntry, inHeader: boolean): Result {
  const { url, expiresAtMs, sha256 } = entry.link;
  const { 'content-type': _ofTheValue, ...headers } = entryHeaders(entry);
  const data: ValueLinkResponse = {
    url,
    expires_at: new Date(expiresAtMs).toISOString(),
    size_bytes: entry.rawBytes,
    sha256,
  };
  return inHeader
    ? { status: 200, headers: { ...headers, 'riptide-link': url }, data }
    : { status: 303, headers: { ...headers, location: url }, data };
}
