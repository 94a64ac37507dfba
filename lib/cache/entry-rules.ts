/**
 * What an entry may be called, how long it may live and what it may say of itself. The law is one for HTTP and the library:
 * two names never mean the same Redis key, and all metadata can travel as headers.
 */
import { InvalidRequestError, type Issue } from '../errors.ts';
import { type EntryName, MAX_KEY_BYTES } from '../keys.ts';
import type { EntryMeta } from './entry-format.ts';

/** No `:`: it would end the namespace within a Redis key. */
export const NAMESPACE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** An ETag of this service, without quotes: an entry's digest. */
export const ETAG = /^[\w-]{22}$/;
/** Ten years: longer than that is `never`. */
export const MAX_TTL_SECONDS = 315_360_000;
/** A year. */
export const MAX_GRACE_SECONDS = 31_536_000;
export const MAX_CONTENT_TYPE_CHARACTERS = 255;
export const MAX_VERSION_CHARACTERS = 128;
export const MAX_SOURCE_CHARACTERS = 256;
export const MAX_TAGS = 32;
export const MAX_TAG_CHARACTERS = 128;
/** Of the JSON, percent-encoded: as it travels. */
export const MAX_ATTRIBUTES_BYTES = 4_096;
/** Of all metadata together: a reply has 10,240 bytes for its headers, of which the common ones take up to 1,700. */
const MAX_META_BYTES = 8_192;

/** Spaces at its ends would be lost on the way. */
const HEADER_TEXT = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
export const TAG = /^[\x21-\x2b\x2d-\x7e]+$/;

/** Whether a key has at most `MAX_KEY_BYTES` bytes, at least one, and is well-formed: as UTF-8 it stays itself. */
export const isKey = (key: string): boolean =>
  key.length > 0 && key.length <= MAX_KEY_BYTES && Buffer.byteLength(key) <= MAX_KEY_BYTES && key.isWellFormed();

/** @throws {InvalidRequestError} not a name of an entry. */
export function checkName({ namespace, key }: EntryName): void {
  if (NAMESPACE.test(namespace) && isKey(key)) return;
  throw refuse([
    NAMESPACE.test(namespace) ? undefined : { field: 'namespace', message: 'must be 1 to 64 of A-Z a-z 0-9 . _ -' },
    isKey(key) ? undefined : { field: 'key', message: `must be 1 to ${MAX_KEY_BYTES} bytes of well-formed text` },
  ]);
}

/** What is checked of an entry before it is stored. */
interface Checked {
  readonly meta: EntryMeta;
  readonly ttlMs?: number | null | undefined;
  readonly graceMs?: number | undefined;
}

/** @throws {InvalidRequestError} a lifetime that is none, or metadata that cannot travel as headers. */
export function checkEntry({ meta, ttlMs = null, graceMs = 0 }: Checked): void {
  const { content_type, version, source, tags = [], attributes } = meta;
  const found = [
    ttlIssue(ttlMs),
    isGrace(graceMs)
      ? undefined
      : { field: 'graceMs', message: `must be 0 to ${MAX_GRACE_SECONDS * 1000} whole milliseconds` },
    textIssue('content_type', content_type, MAX_CONTENT_TYPE_CHARACTERS),
    version === undefined ? undefined : textIssue('version', version, MAX_VERSION_CHARACTERS),
    source === undefined ? undefined : textIssue('source', source, MAX_SOURCE_CHARACTERS),
    tags.length <= MAX_TAGS && tags.every((tag) => tag.length <= MAX_TAG_CHARACTERS && TAG.test(tag))
      ? undefined
      : { field: 'tags', message: `must be ${MAX_TAGS} at most, each printable ASCII without spaces and commas` },
    attributes === undefined || travels(attributes)
      ? undefined
      : { field: 'attributes', message: `must have at most ${MAX_ATTRIBUTES_BYTES} characters, percent-encoded` },
    headerBytes(meta) <= MAX_META_BYTES
      ? undefined
      : { field: 'metadata', message: `must have at most ${MAX_META_BYTES} bytes as headers, all together` },
  ];
  if (found.some((issue) => issue !== undefined)) throw refuse(found);
}

/** Whether attributes fit into their header. */
export const travels = (attributes: unknown): boolean => encodedBytes(attributes) <= MAX_ATTRIBUTES_BYTES;

/** Encoding makes nothing shorter: what is too long already is not encoded. */
function encodedBytes(attributes: unknown): number {
  const json = JSON.stringify(attributes);
  return json.length > MAX_ATTRIBUTES_BYTES ? json.length : encodeURIComponent(json).length;
}

/** Of the values alone; tags are parted by a comma and a space. */
function headerBytes({ content_type, version = '', source = '', tags = [], attributes }: EntryMeta): number {
  const tagBytes = tags.reduce((bytes, tag) => bytes + tag.length + 2, 0);
  const attributeBytes = attributes === undefined ? 0 : encodedBytes(attributes);
  return content_type.length + version.length + source.length + tagBytes + attributeBytes;
}

const isGrace = (ms: number) => Number.isInteger(ms) && ms >= 0 && ms <= MAX_GRACE_SECONDS * 1000;

function ttlIssue(ttlMs: number | null): Issue | undefined {
  if (ttlMs === null || (Number.isInteger(ttlMs) && ttlMs >= 1 && ttlMs <= MAX_TTL_SECONDS * 1000)) return undefined;
  return { field: 'ttlMs', message: `must be 1 to ${MAX_TTL_SECONDS * 1000} whole milliseconds, or null for never` };
}

function textIssue(field: string, text: string, max: number): Issue | undefined {
  if (text.length <= max && HEADER_TEXT.test(text)) return undefined;
  return { field, message: `must be 1 to ${max} characters of printable ASCII, with no space at its ends` };
}

const refuse = (issues: readonly (Issue | undefined)[]) =>
  new InvalidRequestError('The entry cannot be called or stored so', { issues: issues.filter((i) => i !== undefined) });
