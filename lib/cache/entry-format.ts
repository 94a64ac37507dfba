/**
 * A cache entry as Redis keeps it: one string of three parts.
 *
 *   head      c2,<check>,<access minute>,<expires ms, 0 never>,<fresh until ms, 0 as long as it lives>,<raw bytes>,<seq>,
 *             <charged bytes>,<updated ms>,<meta bytes>,<tags bytes>,<blob>,<digest>,<op>,<codec>\n
 *   metadata  tags, joined by commas, then ASCII JSON of the rest of {@link EntryMeta}
 *   payload   as `codec` says: text as it is, or base64 of packed bytes, so that REST and TCP read the same string; of an
 *             encrypting tenant the packed bytes sealed (lib/crypto/envelope.ts), bound to {@link sealedParts}
 *
 * The check (8 hex), access (8 digits), expires and fresh (14 digits each) have fixed widths: scripts write over them.
 * `blob` is `-`, or `<ulid>.<bytes>` of the object in S3 that has the packed value (blob-format.ts); the payload is then empty,
 * and the metadata ends with the SHA-256 of that object, base64url, as `"sha256"`. `op` is the operation id, with `c` when it created the entry and `r` when it replaced one. `check` is
 * the start of the SHA-1 of what follows it in the head and of the metadata, written by the script that
 * knows the time; `digest` is of codec, raw length, metadata and payload. Both are checked before anything is believed or
 * decompressed.
 *
 * Format c1 is still read: it had neither access nor grace nor blobs, and its tags stood in the JSON.
 */
import { hash } from 'node:crypto';
import { CorruptValueError } from '../errors.ts';
import type { EntryName } from '../keys.ts';

export interface EntryMeta {
  readonly content_type: string;
  readonly version?: string;
  readonly source?: string;
  readonly tags?: readonly string[];
  readonly attributes?: Readonly<Record<string, string>>;
  /** It is known that there is no such thing: the entry has no value. */
  readonly negative?: true;
}

/**
 * How the payload stands in the string: `text` UTF-8 as it is, `num` a whole decimal number, written by a script; `b64` raw
 * bytes, `lz4` and `zstd` packed ones. `raw`: bytes as they are, in S3 only.
 */
export type PlainCodec = 'text' | 'num' | 'b64' | 'raw' | 'lz4' | 'zstd';
/** Sealed: raw bytes, or packed ones. */
export type SealedCodec = 'graw' | 'glz4' | 'gzstd';
export type EntryCodec = PlainCodec | SealedCodec;

/** An object in S3 that has an entry's packed value. */
export interface BlobRef {
  readonly ulid: string;
  readonly bytes: number;
  /** Of its bytes, base64url. */
  readonly sha256: string;
}

export interface EntryHead {
  readonly metaBytes: number;
  readonly expiresAtMs: number | null;
  /** From then on it is stale; null: it is fresh as long as it lives. */
  readonly freshUntilMs: number | null;
  readonly updatedAtMs: number;
  readonly seq: number;
  readonly chargedBytes: number;
  readonly rawBytes: number;
  readonly digest: string;
  readonly codec: EntryCodec;
  /** Null: the value is in Redis. */
  readonly blob: BlobRef | null;
}

/** What the script is given: it writes the head in front of `body`. */
export interface EntryBody {
  readonly metaBytes: number;
  /** Of the tags, at the start of the metadata. */
  readonly tagBytes: number;
  readonly rawBytes: number;
  readonly digest: string;
  readonly codec: EntryCodec;
  readonly body: string;
}

/** Metadata as it is stored: tags, then the rest. */
export function metaText(meta: EntryMeta): string {
  const { tags, ...rest } = meta;
  return tags === undefined || tags.length === 0
    ? toAscii(JSON.stringify(meta))
    : tags.join(',') + toAscii(JSON.stringify(rest));
}

/** What a sealed payload is bound to, besides its tenant: moved to another entry, or with other metadata, it does not open. */
export const sealedParts = (
  { namespace, key }: EntryName,
  { codec, rawBytes, meta }: { readonly codec: SealedCodec; readonly rawBytes: number; readonly meta: string },
): readonly string[] => ['c', namespace, key, codec, String(rawBytes), meta];

export function packBody(meta: EntryMeta, codec: EntryCodec, payload: string, rawBytes: number): EntryBody {
  const text = metaText(meta);
  return {
    metaBytes: text.length,
    tagBytes: meta.tags?.join(',').length ?? 0,
    rawBytes,
    codec,
    body: text + payload,
    digest: digestOf(codec, rawBytes, text + payload),
  };
}

/** The stub of an entry whose value is in S3: its metadata also has the digest of the object. */
export function packStub(meta: EntryMeta, { codec, rawBytes, sha256 }: Stubbed): EntryBody {
  const text = stubText(metaText(meta), sha256);
  const tagBytes = meta.tags?.join(',').length ?? 0;
  return { metaBytes: text.length, tagBytes, rawBytes, codec, body: text, digest: digestOf(codec, rawBytes, text) };
}

interface Stubbed extends Pick<EntryBody, 'codec' | 'rawBytes'> {
  readonly sha256: string;
}

/** Metadata as a stub has it. @param text as `metaText` gives it. */
export const stubText = (text: string, sha256: string): string => `${text.slice(0, -1)},"sha256":"${sha256}"}`;

const STUB_END = /,"sha256":"([\w-]{43})"\}$/;

/** A stored entry as far as its head tells. */
export interface ParsedHead {
  readonly head: EntryHead;
  readonly meta: EntryMeta;
  /** As it is stored, but for the digest that a stub has there. */
  readonly metaText: string;
  readonly payloadAt: number;
}

const C2 =
  /^c2,([0-9a-f]{8}),(\d{8}),(\d{14}),(\d{14}),(\d+),(\d+),(\d+),(\d+),(\d+),(\d+),(-|\w{26}\.\d+),([\w-]{22}),([\w-]+),(text|num|b64|raw|lz4|zstd|graw|glz4|gzstd)\n/;
/** Where the head's check begins to cover it: behind itself. */
const CHECKED_FROM = 11;

/**
 * The head and metadata of a stored entry, checked as far as they can be without the payload.
 * @throws {CorruptValueError} not what was written.
 */
export function parseHead(stored: string): ParsedHead {
  const match = C2.exec(stored) as unknown as string[] | null;
  if (match === null) return parseHeadOfBefore(stored);
  const [line, check, , expires, fresh, raw, seq, charged, updated, metaBytes, tagBytes, blob, digest, , codec] =
    match as Texts<15>;
  const payloadAt = line.length + Number(metaBytes);
  requireCheck(stored.slice(CHECKED_FROM, payloadAt), check);
  const { text, sha256 } = partMeta(stored.slice(line.length, payloadAt), blob);
  const head: EntryHead = {
    metaBytes: Number(metaBytes),
    expiresAtMs: timeOf(expires),
    freshUntilMs: timeOf(fresh),
    updatedAtMs: Number(updated),
    seq: Number(seq),
    chargedBytes: Number(charged),
    rawBytes: Number(raw),
    digest,
    codec: codec as EntryCodec,
    blob: blob === '-' ? null : { ulid: blob.slice(0, 26), bytes: Number(blob.slice(27)), sha256 },
  };
  const rest = parseMeta(text.slice(Number(tagBytes)));
  const meta = tagBytes === '0' ? rest : { ...rest, tags: text.slice(0, Number(tagBytes)).split(',') };
  return { head, meta, metaText: text, payloadAt };
}

/** Bytes of the value of a stored entry as its head says, unchecked; 0 of format c1, whose values were not that large. */
export const rawBytesOf = (stored: string): number =>
  stored.startsWith('c2,') ? Number.parseInt(stored.slice(51, 67), 10) || 0 : 0;

/** Metadata, and the digest a stub has at its end. */
function partMeta(text: string, blob: string): { text: string; sha256: string } {
  if (blob === '-') return { text, sha256: '' };
  const found = STUB_END.exec(text);
  if (found === null) throw new CorruptValueError('The stub of a stored entry has no digest');
  return { text: `${text.slice(0, found.index)}}`, sha256: found[1] as string };
}

const C1 =
  /^c1,([0-9a-f]{8}),(\d+),(\d+),(\d+),(\d+),(\d+),(\d+),([\w-]{22}),([\w-]+),(text|b64|lz4|zstd|graw|glz4|gzstd)\n/;

function parseHeadOfBefore(stored: string): ParsedHead {
  const match = C1.exec(stored) as unknown as string[] | null;
  if (match === null) throw new CorruptValueError('The stored entry has no head');
  const [line, check, metaBytes, expires, updated, seq, charged, raw, digest, , codec] = match as Texts<11>;
  const payloadAt = line.length + Number(metaBytes);
  requireCheck(stored.slice(CHECKED_FROM, payloadAt), check);
  const head: EntryHead = {
    metaBytes: Number(metaBytes),
    expiresAtMs: timeOf(expires),
    freshUntilMs: null,
    updatedAtMs: Number(updated),
    seq: Number(seq),
    chargedBytes: Number(charged),
    rawBytes: Number(raw),
    digest,
    codec: codec as EntryCodec,
    blob: null,
  };
  const text = stored.slice(line.length, payloadAt);
  return { head, meta: parseMeta(text), metaText: text, payloadAt };
}

/** What a pattern of so many groups, all of them needed, has matched. */
type Texts<Length extends number, List extends string[] = []> = List['length'] extends Length
  ? List
  : Texts<Length, [...List, string]>;

/** Unix ms; null for 0. */
const timeOf = (digits: string): number | null => Number(digits) || null;

function requireCheck(checked: string, check: string): void {
  if (hash('sha1', checked, 'hex').slice(0, 8) === check) return;
  throw new CorruptValueError('The head of the stored entry fails its check');
}

/** The whole stored entry, its digest checked; of a stub, the check of the head covers all there is. @throws {CorruptValueError} not what was written. */
export function parseEntry(stored: string): ParsedHead & { readonly payload: string } {
  const parsed = parseHead(stored);
  const { head } = parsed;
  const body = stored.slice(parsed.payloadAt - head.metaBytes);
  if (head.blob === null && digestOf(head.codec, head.rawBytes, body) !== head.digest) {
    throw new CorruptValueError('The stored entry fails its digest');
  }
  return { ...parsed, payload: body.slice(head.metaBytes) };
}

function parseMeta(json: string): EntryMeta {
  try {
    return JSON.parse(json) as EntryMeta;
  } catch (cause) {
    throw new CorruptValueError('The metadata of the stored entry cannot be read', { cause });
  }
}

/** Of a number SHA-1, in hex: the only digest a script can make. */
const digestOf = (codec: EntryCodec, rawBytes: number, body: string): string =>
  codec === 'num'
    ? hash('sha1', `${codec},${rawBytes},${body}`, 'hex').slice(0, 22)
    : hash('sha256', `${codec},${rawBytes},${body}`, 'base64url').slice(0, 22);

/** Beyond ASCII as `\uXXXX`, so that characters, bytes and the script's lengths agree. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is ASCII as a whole
const toAscii = (json: string) => (/^[\x00-\x7f]*$/.test(json) ? json : json.replace(/[^\x00-\x7f]/g, escapeUnit));
const escapeUnit = (unit: string) =>
  [...Array(unit.length).keys()].map((i) => `\\u${unit.charCodeAt(i).toString(16).padStart(4, '0')}`).join('');
