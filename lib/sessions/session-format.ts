/**
 * Sessions as they stand in Redis. The scripts write the same: redis/scripts/includes/session-head.lua. Pure.
 *
 * Hot, a hash: `h` the header, `m` the metadata (absent: none), `d:<key>` a text for each data key.
 * Cold, a string: the header, where the data is, the metadata, a line each. Header:
 *   s1,<access s, 8 hex>,<expires ms, 14 digits>,<version>,<secret>,<created ms>,<idle ms>,<absolute end ms>,
 *   <charged, 10 digits>,<data bytes>,<data keys>,<seq>,<last 4 operations, 12 each>,<user, escaped>
 */
import { SessionCorruptError } from '../errors.ts';
import { unescapeControls } from '../keys.ts';
import { pairsOf } from '../redis/reply-shape.ts';

/** Times are Unix ms, sizes bytes. */
export interface SessionHead {
  /** To the second. */
  readonly accessedAtMs: number;
  readonly expiresAtMs: number;
  /** 1, and one more by each change. */
  readonly version: number;
  readonly secret: string;
  readonly createdAtMs: number;
  readonly idleMs: number;
  readonly absoluteEndMs: number;
  /** To the tenant's memory. */
  readonly chargedBytes: number;
  readonly dataBytes: number;
  readonly dataKeys: number;
  /** Of the tenant's writes. */
  readonly seq: number;
  readonly userId: string | null;
}

/** Where the data of a cold session is. */
export interface SessionPlace {
  readonly objectUlid: string;
  readonly sessionUlid: string;
  /** Of the object. */
  readonly bytes: number;
  readonly sha256: string;
  readonly rawBytes: number;
  /** What it was charged while it was hot. */
  readonly hotBytes: number;
  /** Of the session when it was moved: rotation changes those of the header. */
  readonly version: number;
  readonly seq: number;
  readonly quarantined: boolean;
}

export interface SessionStub {
  readonly head: SessionHead;
  readonly place: SessionPlace;
  /** As stored; empty: none. */
  readonly meta: string;
}

export interface HotSession {
  readonly head: SessionHead;
  /** As stored; empty: none. */
  readonly meta: string;
  /** By data key, as stored. */
  readonly data: ReadonlyMap<string, string>;
}

export const META_FIELD = 'm';
export const DATA_PREFIX = 'd:';
/** Of the space an operation has in the header. */
export const OPERATION_CHARACTERS = 12;

const HEAD =
  /^s1,([0-9a-f]{8}),(\d{14}),(\d+),([0-9a-z]{26}),(\d+),(\d+),(\d+),(\d{10}),(\d+),(\d+),(\d+),[0-9a-f-]{48},([^\n]*)$/;
const PLACE = /^([0-9a-z]{26})\.([0-9a-z]{26}),(\d+),([\w-]{43}),(\d+),(\d+),(\d+),(\d+),([-q])$/;

/** @throws {SessionCorruptError} it is none. */
export function parseSessionHead(line: string): SessionHead {
  const [all, access, expires, version, secret, created, idle, absolute, charged, bytes, keys, seq, user] =
    HEAD.exec(line) ?? [];
  if (all === undefined) throw new SessionCorruptError('The header of a stored session cannot be read');
  return {
    accessedAtMs: Number.parseInt(access as string, 16) * 1_000,
    expiresAtMs: Number(expires),
    version: Number(version),
    secret: secret as string,
    createdAtMs: Number(created),
    idleMs: Number(idle),
    absoluteEndMs: Number(absolute),
    chargedBytes: Number(charged),
    dataBytes: Number(bytes),
    dataKeys: Number(keys),
    seq: Number(seq),
    userId: user === '' ? null : unescapeControls(user as string),
  };
}

/** @throws {SessionCorruptError} it is none. */
export function parseSessionStub(text: string): SessionStub {
  const [first = '', second = '', ...rest] = text.split('\n');
  const [all, objectUlid, sessionUlid, bytes, sha256, rawBytes, hotBytes, version, seq, mark] =
    PLACE.exec(second) ?? [];
  if (all === undefined) throw new SessionCorruptError('The stub of a stored session cannot be read');
  return {
    head: parseSessionHead(first),
    place: {
      objectUlid: objectUlid as string,
      sessionUlid: sessionUlid as string,
      bytes: Number(bytes),
      sha256: sha256 as string,
      rawBytes: Number(rawBytes),
      hotBytes: Number(hotBytes),
      version: Number(version),
      seq: Number(seq),
      quarantined: mark === 'q',
    },
    meta: rest.join('\n'),
  };
}

/** Of fields and values by turns. @throws {SessionCorruptError} it has no header. */
export function parseHotSession(fields: readonly string[]): HotSession {
  let header = '';
  let meta = '';
  const data = new Map<string, string>();
  for (const [name, text] of pairsOf(fields)) {
    if (name === 'h') header = text;
    else if (name === META_FIELD) meta = text;
    else if (name.startsWith(DATA_PREFIX)) data.set(name.slice(DATA_PREFIX.length), text);
  }
  return { head: parseSessionHead(header), meta, data };
}
