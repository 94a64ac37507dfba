/**
 * A line of a checkpoint: a record as Redis has it, or that it is gone. Names are as they stand in the index: escaped.
 *
 *   {"kind":"cache","namespace":…,"key":…,"stored":"c2,…"}      {"kind":"cache","namespace":…,"key":…,"removed":true}
 *   {"kind":"session","user":…,"id":"<ULID>","hash":{"h":…,"d:<key>":…}}   hot
 *   {"kind":"session","user":…,"id":"<ULID>","stub":"s1,…"}                in S3, in the object the stub names
 *   {"kind":"session","user":…,"id":"<ULID>","removed":true}
 */
import { CheckpointFormatError, CorruptValueError } from '../../errors.ts';
import { ULID } from '../../ids.ts';

interface CacheName {
  readonly kind: 'cache';
  readonly namespace: string;
  /** Escaped. */
  readonly key: string;
}

interface SessionName {
  readonly kind: 'session';
  /** Escaped; empty: none. */
  readonly user: string;
  /** Its ULID, without the secret. */
  readonly id: string;
}

/** The fields of a hot session: `h`, and `d:<key>` of each data key. */
export type SessionHash = Readonly<Record<string, string>>;

export type CacheRecord = CacheName & { readonly stored: string };
export type HotSessionRecord = SessionName & { readonly hash: SessionHash };
export type ColdSessionRecord = SessionName & { readonly stub: string };
/** What is there. */
export type CheckpointRecord = CacheRecord | HotSessionRecord | ColdSessionRecord;
/** What is there no more. */
export type CheckpointRemoval = (CacheName | SessionName) & { readonly removed: true };
export type CheckpointLine = CheckpointRecord | CheckpointRemoval;

export const isRemoval = (line: CheckpointLine): line is CheckpointRemoval => 'removed' in line;

/** What lines are sorted by, as UTF-8 (utf8-order.ts): the member that lists the record in the index, without its `k\0`. */
export const orderOf = (line: CheckpointLine): string =>
  line.kind === 'cache' ? `c\0${line.namespace}\0${line.key}` : `s\0${line.user}\0${line.id}`;

/** The line as text, with its newline. */
export function encodeLine(line: CheckpointLine): string {
  const name =
    line.kind === 'cache'
      ? `{"kind":"cache","namespace":${JSON.stringify(line.namespace)},"key":${JSON.stringify(line.key)}`
      : `{"kind":"session","user":${JSON.stringify(line.user)},"id":${JSON.stringify(line.id)}`;
  return `${name},${contentOf(line)}}\n`;
}

function contentOf(line: CheckpointLine): string {
  if ('stored' in line) return `"stored":${JSON.stringify(line.stored)}`;
  if ('hash' in line) return `"hash":${JSON.stringify(line.hash)}`;
  return 'stub' in line ? `"stub":${JSON.stringify(line.stub)}` : '"removed":true';
}

/**
 * Reads a line, with or without its newline.
 * @throws {CheckpointFormatError} its kind is none this version knows.
 * @throws {CorruptValueError} it is none; what stands there is not told.
 */
export function decodeLine(text: string): CheckpointLine {
  const fields = parse(text);
  const { kind } = fields;
  const isLine = kind === 'cache' ? isCacheLine(fields) : kind === 'session' && isSessionLine(fields);
  if (isLine && Object.keys(fields).length === FIELDS) return fields as unknown as CheckpointLine;
  if (typeof kind === 'string' && kind !== 'cache' && kind !== 'session')
    throw new CheckpointFormatError('The checkpoint has records of a kind that this version does not know');
  throw new CorruptValueError('A line of the checkpoint is not what it must be');
}

type Fields = Readonly<Record<string, unknown>>;

/** Every line has a kind, two parts of a name, and what there is. */
const FIELDS = 4;
const SESSION_ULID = new RegExp(`^${ULID}$`);

function parse(text: string): Fields {
  try {
    const parsed: unknown = JSON.parse(text);
    if (isObject(parsed)) return parsed;
  } catch {
    // Its message would quote what stands there.
  }
  throw new CorruptValueError('A line of the checkpoint is not JSON');
}

const isCacheLine = ({ namespace, key, stored, removed }: Fields): boolean =>
  isName(namespace) && isName(key) && (typeof stored === 'string' || removed === true);

const isSessionLine = ({ user, id, hash, stub, removed }: Fields): boolean =>
  isName(user) &&
  typeof id === 'string' &&
  SESSION_ULID.test(id) &&
  (removed === true || typeof stub === 'string' || isHash(hash));

const isHash = (value: unknown): boolean =>
  isObject(value) &&
  typeof value.h === 'string' &&
  Object.entries(value).every(([name, text]) => typeof text === 'string' && (name === 'h' || name.startsWith('d:')));

/** NUL would make two names of one order. */
const isName = (value: unknown): boolean => typeof value === 'string' && !value.includes('\0');

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
