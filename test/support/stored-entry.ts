import { createHash } from 'node:crypto';
import { type EntryCodec, type EntryMeta, packBody } from '../../lib/cache/entry-format.ts';

/** An entry as set-cache-entry.lua writes it; the golden samples show that it does. */
export function storedEntry(meta: EntryMeta, codec: EntryCodec, payload: string, rawBytes = 1): string {
  const { metaBytes, tagBytes, digest, body } = packBody(meta, codec, payload, rawBytes);
  const never = '0'.repeat(14);
  const line = `,29920461,${never},${never},${rawBytes},1,0000000435,1795227660002,${metaBytes},${tagBytes},-,${digest},ba178fc9f6cb6b11d94575ab,${codec}\n`;
  const check = createHash('sha1')
    .update(line + body.slice(0, metaBytes))
    .digest('hex')
    .slice(0, 8);
  return `c2,${check}${line}${body}`;
}
