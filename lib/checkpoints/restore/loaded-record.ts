/**
 * A record of a checkpoint as it is loaded into a generation: its text, charged for the key it gets there, the members of the index,
 * and what it takes. Pure. The scripts make the same: redis/scripts/includes/{record,entry-removal,session-head,session-write}.lua.
 */
import { createHash } from 'node:crypto';
import { parseHead } from '../../cache/entry-format.ts';
import { type HotSession, parseHotSession, parseSessionStub, type SessionHead } from '../../sessions/session-format.ts';
import type { CacheRecord, ColdSessionRecord, HotSessionRecord } from '../format/checkpoint-line.ts';
import { type LoadedStock, NOTHING_LOADED } from './loaded-stock.ts';

export interface LoadedRecord {
  readonly key: string;
  /** A string, or fields and values by turns. */
  readonly value: string | readonly string[];
  readonly members: readonly string[];
  readonly stock: LoadedStock;
}

/** Charged beyond key and bytes. */
const ENTRY_BYTES = 200;
const HOT_BYTES = 832;
const STUB_BYTES = 384;

const bytesOf = (text: string): number => Buffer.byteLength(text);
/** What marks an object that another generation had before. */
const ownedMember = (object: string): string => `o\0${object}`;

/** @param key of the record there. @throws {CorruptValueError} it was damaged when the checkpoint was made. */
export function loadedEntry({ namespace, key: name, stored }: CacheRecord, key: string): LoadedRecord {
  const { head, meta, payloadAt } = parseHead(stored);
  const charged = bytesOf(key) + bytesOf(stored) + ENTRY_BYTES;
  const value = charged === head.chargedBytes ? stored : charging(stored, charged, payloadAt);
  const listed = `c\0${namespace}\0${name}`;
  const members = [`k\0${listed}`];
  if (head.expiresAtMs !== null) members.push(`e\0${fourteen(head.expiresAtMs)}\0${listed}`);
  if (stored.startsWith('c2,')) members.push(`${head.blob === null ? 'a' : 's'}\0${stored.slice(12, 20)}\0${listed}`);
  for (const tag of stored.startsWith('c2,') ? (meta.tags ?? []) : []) members.push(`t\0${tag}\0${listed}`);
  if (head.blob !== null) members.push(ownedMember(head.blob.ulid));
  const storage = head.blob?.bytes ?? 0;
  const packed = head.blob === null ? bytesOf(stored) - bytesOf(stored.slice(0, payloadAt)) : storage;
  const stock = { memory: charged, entries: 1, storage, raw: head.rawBytes, packed, seq: head.seq };
  return { key, value, members, stock: { ...NOTHING_LOADED, ...stock } };
}

/** Where a head of format c2 says what it is charged: behind so many commas. */
const CHARGED_AT = 7;
const CHARGED_DIGITS = 10;

/** The same entry, charged for another key. One of format c1 stays as it is. */
function charging(stored: string, charged: number, payloadAt: number): string {
  if (!stored.startsWith('c2,')) return stored;
  let at = 0;
  for (let commas = 0; commas < CHARGED_AT; commas++) at = stored.indexOf(',', at) + 1;
  const end = stored.indexOf(',', at);
  const text = stored.slice(0, at) + String(charged).padStart(CHARGED_DIGITS, '0') + stored.slice(end);
  const checked = text.slice(11, payloadAt + text.length - stored.length);
  return `c2,${createHash('sha1').update(checked).digest('hex').slice(0, 8)}${text.slice(11)}`;
}

/** @throws {SessionCorruptError} it was damaged when the checkpoint was made. */
export function loadedHot({ id, user, hash }: HotSessionRecord, key: string): LoadedRecord & { session: HotSession } {
  const fields = Object.entries(hash).flat();
  const session = parseHotSession(fields);
  const charged = bytesOf(key) + fields.reduce((sum, text) => sum + bytesOf(text), 0) + HOT_BYTES;
  const value = Object.entries({ ...hash, h: chargingSession(hash.h ?? '', charged) }).flat();
  const access = session.head.accessedAtMs.toString(16).padStart(11, '0');
  const members = [...sessionMembers(session.head, user, id), `r\0${access}\0${id}`];
  const stock = { memory: charged, sessions: 1, hotBytes: charged, seq: session.head.seq };
  return { key, value, members, stock: { ...NOTHING_LOADED, ...stock }, session };
}

/** @throws {SessionCorruptError} it was damaged when the checkpoint was made. */
export function loadedCold({ id, user, stub }: ColdSessionRecord, key: string): LoadedRecord & { head: SessionHead } {
  const { head, place } = parseSessionStub(stub);
  const charged = bytesOf(key) + bytesOf(stub) + STUB_BYTES;
  const members = [...sessionMembers(head, user, id), ownedMember(`${place.objectUlid}.${place.sessionUlid}`)];
  const stock = {
    memory: charged,
    sessions: 1,
    storage: place.bytes,
    spilled: 1,
    spilledBytes: place.bytes,
    seq: head.seq,
  };
  return { key, value: chargingSession(stub, charged), members, stock: { ...NOTHING_LOADED, ...stock }, head };
}

const sessionMembers = ({ expiresAtMs }: SessionHead, user: string, id: string): string[] => [
  `k\0s\0${user}\0${id}`,
  `e\0${fourteen(expiresAtMs)}\0s\0\0${id}`,
];

/** A header, or what begins with one, charged for another key. */
export function chargingSession(text: string, charged: number): string {
  let at = 0;
  for (let commas = 0; commas < CHARGED_AT; commas++) at = text.indexOf(',', at) + 1;
  return text.slice(0, at) + String(charged).padStart(8, '0') + text.slice(at + 8);
}

const fourteen = (ms: number): string => String(ms).padStart(14, '0');
