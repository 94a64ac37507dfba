/**
 * A cache entry as Redis keeps it: one string of three parts.
 *
 *   head      c1,<check>,<meta bytes>,<expires ms, 0 never>,<updated ms>,<seq>,<charged bytes>,<raw bytes>,<digest>,<op>,<codec>\n
 *   metadata  ASCII JSON of {@link EntryMeta}
 *   payload   as `codec` says: text as it is, or base64 of packed bytes, so that REST and TCP read the same string; of an
 *             encrypting tenant the packed bytes sealed (lib/crypto/envelope.ts), bound to {@link sealedParts}
 *
 * `op` is the operation id, with `c` when it created the entry and `r` when it replaced one. `check` is the start of the
 * SHA-1 of what follows it in the head and of the metadata, written by the script that knows the time; `digest` is of
 * codec, raw length, metadata and payload. Both are checked before anything is believed or decompressed.
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
}

/** How the payload stands in the string: `text` UTF-8 as it is, `b64` raw bytes, `lz4` and `zstd` packed ones. */
export type PlainCodec = 'text' | 'b64' | 'lz4' | 'zstd';
/** Sealed: raw bytes, or packed ones. */
export type SealedCodec = 'graw' | 'glz4' | 'gzstd';
export type EntryCodec = PlainCodec | SealedCodec;

export interface EntryHead {
  readonly metaBytes: number;
  readonly expiresAtMs: number | null;
  readonly updatedAtMs: number;
  readonly seq: number;
  readonly chargedBytes: number;
  readonly rawBytes: number;
  readonly digest: string;
  readonly codec: EntryCodec;
}

/** What the script is given: it writes the head in front of `body`. */
export interface EntryBody {
  readonly metaBytes: number;
  readonly rawBytes: number;
  readonly digest: string;
  readonly codec: EntryCodec;
  readonly body: string;
}

/** Metadata as it is stored. */
export const metaText = (meta: EntryMeta): string => toAscii(JSON.stringify(meta));

/** What a sealed payload is bound to, besides its tenant: moved to another entry, or with other metadata, it does not open. */
export const sealedParts = (
  { namespace, key }: EntryName,
  { codec, rawBytes, meta }: { readonly codec: SealedCodec; readonly rawBytes: number; readonly meta: string },
): readonly string[] => ['c', namespace, key, codec, String(rawBytes), meta];

export function packBody(meta: EntryMeta, codec: EntryCodec, payload: string, rawBytes: number): EntryBody {
  const json = metaText(meta);
  return {
    metaBytes: json.length,
    rawBytes,
    codec,
    body: json + payload,
    digest: digestOf(codec, rawBytes, json + payload),
  };
}

const HEAD =
  /^c1,([0-9a-f]{8}),(\d+),(\d+),(\d+),(\d+),(\d+),(\d+),([\w-]{22}),([\w-]+),(text|b64|lz4|zstd|graw|glz4|gzstd)\n/;

/**
 * The head and metadata of a stored entry, checked as far as they can be without the payload.
 * @throws {CorruptValueError} not what was written.
 */
export function parseHead(stored: string): {
  readonly head: EntryHead;
  readonly meta: EntryMeta;
  readonly payloadAt: number;
} {
  const match = HEAD.exec(stored);
  if (match === null) throw new CorruptValueError('The stored entry has no head');
  const [line, check, metaBytes, expires, updated, seq, charged, raw, digest, , codec] =
    match as unknown as string[] as [
      string,
      string,
      string,
      string,
      string,
      string,
      string,
      string,
      string,
      string,
      EntryCodec,
    ];
  const payloadAt = line.length + Number(metaBytes);
  if (hash('sha1', stored.slice(11, payloadAt), 'hex').slice(0, 8) !== check) {
    throw new CorruptValueError('The head of the stored entry fails its check');
  }
  const head: EntryHead = {
    metaBytes: Number(metaBytes),
    expiresAtMs: expires === '0' ? null : Number(expires),
    updatedAtMs: Number(updated),
    seq: Number(seq),
    chargedBytes: Number(charged),
    rawBytes: Number(raw),
    digest,
    codec,
  };
  return { head, meta: parseMeta(stored.slice(line.length, payloadAt)), payloadAt };
}

/** The whole stored entry, its digest checked. @throws {CorruptValueError} not what was written. */
export function parseEntry(stored: string) {
  const parsed = parseHead(stored);
  const { head } = parsed;
  const body = stored.slice(parsed.payloadAt - head.metaBytes);
  if (digestOf(head.codec, head.rawBytes, body) !== head.digest) {
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

const digestOf = (codec: EntryCodec, rawBytes: number, body: string): string =>
  hash('sha256', `${codec},${rawBytes},${body}`, 'base64url').slice(0, 22);

/** Beyond ASCII as `\uXXXX`, so that characters, bytes and the script's lengths agree. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is ASCII as a whole
const toAscii = (json: string) => (/^[\x00-\x7f]*$/.test(json) ? json : json.replace(/[^\x00-\x7f]/g, escapeUnit));
const escapeUnit = (unit: string) =>
  [...Array(unit.length).keys()].map((i) => `\\u${unit.charCodeAt(i).toString(16).padStart(4, '0')}`).join('');
