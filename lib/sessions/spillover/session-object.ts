/**
 * A session as it stands in S3: one LZ4 frame (`lz4 -d` opens it) of
 *
 *   {"format":"riptide-session-1","tenant_id":…,"session":"session-<ULID>","version":…,"seq":…,"fields":{"m":…,"d:<key>":…}}
 *
 * Fields are the texts of the session's hash, its header apart: what is sealed there stays sealed. The object says whose it is
 * and of which version, so that one is never taken for another. Pure, but for the LZ4 library.
 */
import { unpack } from '../../blobs/codec.ts';
import { loadLz4 } from '../../blobs/lz4.ts';
import { sha256Of } from '../../blobs/sha256.ts';
import { CorruptValueError } from '../../errors.ts';
import type { TenantId } from '../../ids.ts';

/** Which session, and as of when. */
export interface SessionIdentity {
  readonly tenantId: TenantId;
  /** Its public part. */
  readonly sessionUlid: string;
  readonly version: number;
  readonly seq: number;
}

/** What a stub says of an object's bytes. */
export interface SessionObjectBytes {
  /** Stored. */
  readonly bytes: number;
  /** Decompressed. */
  readonly rawBytes: number;
  /** Of the stored bytes, base64url. */
  readonly sha256: string;
}

/** An object to be written. */
export interface EncodedSession extends Omit<SessionObjectBytes, 'bytes'> {
  readonly sessionUlid: string;
  readonly bytes: Buffer;
}

/** By name: `m` and `d:<key>`. */
export type SessionFields = ReadonlyMap<string, string>;

/**
 * Above every session there may be (`state.session_max_bytes` at its largest, each byte escaped), so that one stays readable
 * when the setting is lowered.
 */
export const MAX_SESSION_RAW_BYTES = 32 * 1024 * 1024;

const FORMAT = 'riptide-session-1';
/** Larger ones are compressed in a thread. */
const IN_THREAD_ABOVE_BYTES = 100 * 1024;
const FIELD = /^(m$|d:)/;

/** The object of a session. @param session.fields texts as they stand in Redis; given back exactly as they are. */
export async function encodeSessionObject(
  session: SessionIdentity & { readonly fields: SessionFields },
): Promise<EncodedSession> {
  const { fields, ...identity } = session;
  const raw = Buffer.from(JSON.stringify({ ...headOf(identity), fields: Object.fromEntries(fields) }));
  const lz4 = await loadLz4();
  const bytes = raw.length > IN_THREAD_ABOVE_BYTES ? await lz4.compressInThread(raw) : lz4.compress(raw);
  return { sessionUlid: session.sessionUlid, bytes, rawBytes: raw.length, sha256: sha256Of(bytes) };
}

/**
 * The fields of the session that is expected there. Nothing is decompressed before the bytes are known to be those that were
 * written, and nothing decompresses to more than `maxRawBytes`.
 * @throws {CorruptValueError} they are other bytes, or too many; or it is another session, or the same at another time.
 */
export async function decodeSessionObject(
  bytes: Buffer,
  expected: SessionIdentity & SessionObjectBytes & { readonly maxRawBytes: number },
): Promise<Map<string, string>> {
  requireBytes(bytes, expected);
  const { rawBytes, maxRawBytes: maxBytes } = expected;
  const raw = await unpack({ codec: 'lz4', bytes, rawBytes, maxBytes });
  const { fields, ...head } = parse(raw);
  for (const [name, value] of Object.entries(headOf(expected))) {
    if (head[name] !== value) throw new CorruptValueError(`The object of a session has another ${name}`);
  }
  return fieldsOf(fields);
}

/** Whether these are the bytes that a stub names. @throws {CorruptValueError} */
export function requireBytes(body: Buffer, { bytes, sha256 }: Pick<SessionObjectBytes, 'bytes' | 'sha256'>): void {
  if (body.length !== bytes) throw new CorruptValueError('The object of a session has another length');
  if (sha256Of(body) !== sha256) throw new CorruptValueError('The object of a session fails its digest');
}

const headOf = ({ tenantId, sessionUlid, version, seq }: SessionIdentity) => ({
  format: FORMAT,
  tenant_id: tenantId,
  session: `session-${sessionUlid}`,
  version,
  seq,
});

function parse(raw: Buffer): JsonObject {
  try {
    const parsed: unknown = JSON.parse(raw.toString());
    if (isObject(parsed)) return parsed;
  } catch {
    // Its message would quote what stands there.
  }
  throw new CorruptValueError('The object of a session is not the JSON it must be');
}

function fieldsOf(fields: unknown): Map<string, string> {
  const entries = isObject(fields) ? Object.entries(fields) : null;
  if (entries?.every(isField)) return new Map(entries);
  throw new CorruptValueError('The object of a session has other fields');
}

type JsonObject = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isField = (entry: readonly [string, unknown]): entry is [string, string] =>
  FIELD.test(entry[0]) && typeof entry[1] === 'string';
