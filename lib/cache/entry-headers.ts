import type { StoredHead } from './entry.ts';

/** What a reply says of an entry beside its value. */
export function entryHeaders(entry: StoredHead): Record<string, string> {
  const { meta, etag, expiresAtMs, ageMs } = entry;
  const headers: Record<string, string> = {
    'content-type': meta.content_type,
    etag: `"${etag}"`,
    age: String(Math.floor(ageMs / 1000)),
    'riptide-expires-at': expiresAtMs === null ? 'never' : new Date(expiresAtMs).toISOString(),
    'cache-control': 'private, no-cache',
  };
  if (meta.version !== undefined) headers['riptide-version'] = meta.version;
  if (meta.source !== undefined) headers['riptide-source'] = meta.source;
  if (meta.tags !== undefined) headers['riptide-tags'] = meta.tags.join(', ');
  if (meta.attributes !== undefined)
    headers['riptide-attributes'] = encodeURIComponent(JSON.stringify(meta.attributes));
  return headers;
}
