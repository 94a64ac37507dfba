/**
 * Sessions as they stand in Redis. The scripts write the same: redis/scripts/includes/session-head.lua. Pure.
 *
 * Hot, a hash: `h` the header, and the metadata in a line of its own (absent: none); `d:<key>` a text for each data key.
 * Cold, a string: the header, where the data is, the metadata, a line each. Header:
 *   s1,<access ms, 11 hex>,<version>,<secret>,<created ms, hex>,<idle ms, 9 hex>,<life ms, hex>,<charged, 8 digits>,
 *   <data bytes>,<data keys>,<seq>,<last operations, 10 each, newest first, 3 at most>,<user, escaped>
 */
import { SessionCorruptError } from '../errors.ts';
import { unescapeControls } from '../keys.ts';
import { pairsOf } from '../redis/reply-shape.ts';

/** Times are Unix ms, sizes bytes. */
export interface SessionHead {
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

/** What sealed metadata is bound to, as a data key's text to its field. */
export const META_FIELD = 'm';
export const DATA_PREFIX = 'd:';
/** Of the space an operation has in the header. */
export const OPERATION_CHARACTERS = 10;

const HEAD =
  /^s1,([0-9a-f]{11}),(\d+),([0-9a-z]{26}),([0-9a-f]+),([0-9a-f]+),([0-9a-f]+),(\d{8}),(\d+),(\d+),(\d+),[0-9a-f]{10,30},([^\n]*)$/;
const PLACE = /^([0-9a-z]{26})\.([0-9a-z]{26}),(\d+),([\w-]{43}),(\d+),(\d+),(\d+),(\d+),([-q])$/;

/** @throws {SessionCorruptError} it is none. */
export function parseSessionHead(line: string): SessionHead {
  const [all, access, version, secret, created, idle, life, charged, bytes, keys, seq, user] = HEAD.exec(line) ?? [];
  if (all === undefined) throw new SessionCorruptError('The header of a stored session cannot be read');
  const accessedAtMs = hex(access as string);
  const createdAtMs = hex(created as string);
  const idleMs = hex(idle as string);
  const absoluteEndMs = createdAtMs + hex(life as string);
  return {
    accessedAtMs,
    expiresAtMs: Math.min(accessedAtMs + idleMs, absoluteEndMs),
    version: Number(version),
    secret: secret as string,
    createdAtMs,
    idleMs,
    absoluteEndMs,
    chargedBytes: Number(charged),
    dataBytes: Number(bytes),
    dataKeys: Number(keys),
    seq: Number(seq),
    userId: user === '' ? null : unescapeControls(user as string),
  };
}

const hex = (digits: string): number => Number.parseInt(digits, 16);

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

/** What the field `h` holds. @throws {SessionCorruptError} no header. */
export function parseHotHead(text: string): Omit<HotSession, 'data'> {
  const end = text.indexOf('\n');
  if (end < 0) return { head: parseSessionHead(text), meta: '' };
  return { head: parseSessionHead(text.slice(0, end)), meta: text.slice(end + 1) };
}

/** Of fields and values by turns. @throws {SessionCorruptError} it has no header. */
export function parseHotSession(fields: readonly string[]): HotSession {
  let header = '';
  const data = new Map<string, string>();
  for (const [name, text] of pairsOf(fields)) {
    if (name === 'h') header = text;
    else if (name.startsWith(DATA_PREFIX)) data.set(name.slice(DATA_PREFIX.length), text);
  }
  return { ...parseHotHead(header), data };
}
