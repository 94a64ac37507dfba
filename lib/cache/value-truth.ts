import { isJsonType, parseJson } from '../http/request-body.ts';
import type { EntryMeta } from './entry-format.ts';

const MAX_VALUE_DEPTH = 1_000;

/**
 * Checks that a value is what its content type says, where that is JSON; of a known absence there is none to check.
 * @throws {InvalidJsonError} it is not JSON, or nests deeper than 1,000 levels.
 */
export function requireTruth({ value, meta }: { readonly value: Uint8Array; readonly meta: EntryMeta }): void {
  if (meta.negative === true || !isJsonType(meta.content_type)) return;
  parseJson(Buffer.from(value.buffer, value.byteOffset, value.byteLength), MAX_VALUE_DEPTH);
}
