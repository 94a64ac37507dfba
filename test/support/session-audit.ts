/** A tenant's sessions beside its counters, its index and S3: nothing off, nothing left over. */
import { expect } from 'vitest';
import type { App } from '../../lib/app.ts';
import { unpackCounters } from '../../lib/gate/counters.ts';
import type { TenantId } from '../../lib/ids.ts';
import { escapeControls, sessionBlob, sessionBlobPrefix } from '../../lib/keys.ts';
import { parseHotSession, parseSessionStub, type SessionHead } from '../../lib/sessions/session-format.ts';
import { gateState } from './gate-state.ts';
import { generationOf, keysOf, tenantState } from './tenant-state.ts';

const READ = { kind: 'read' } as const;
const HOT_OVERHEAD = 832;
const STUB_OVERHEAD = 384;
const TOMBSTONE = 128;

export interface SessionCounts {
  readonly sessions: number;
  readonly spilled: number;
  /** Charged: sessions, stubs and tombstones. */
  readonly memory: number;
  readonly hotBytes: number;
  readonly spilledBytes: number;
}

/** Fails unless every session is counted, charged and indexed once, and every object is of one stub or waits to be deleted. */
export async function auditSessions(app: App, id: TenantId): Promise<SessionCounts> {
  const keys = keysOf(app);
  const index = (await tenantState(app, id)).index as readonly string[];
  const members = index.filter((member) => /^(?:k\0s|r|e\0\d{14}\0s)\0/.test(member));
  const ulids = members.filter((member) => member.startsWith('k\0')).map((member) => member.slice(-26));
  const generation = await generationOf(app, id);
  const expected: string[] = [];
  const used = new Map<string, number>();
  const counts = { sessions: 0, spilled: 0, memory: 0, hotBytes: 0, spilledBytes: 0 };
  for (const ulid of ulids) {
    const record = keys.session(id, generation, ulid);
    const type = await app.redis.send(['TYPE', record], READ);
    const keyBytes = Buffer.byteLength(record);
    let head: SessionHead;
    if (type === 'string') {
      const text = (await app.redis.send(['GET', record], READ)) as string;
      const { place, ...stub } = parseSessionStub(text);
      head = stub.head;
      expect(head.chargedBytes).toBe(keyBytes + Buffer.byteLength(text) + STUB_OVERHEAD);
      counts.spilled++;
      counts.spilledBytes += place.bytes;
      used.set(sessionBlob(id, place.objectUlid, place.sessionUlid), place.bytes);
    } else {
      expect(type, `what is stored of ${ulid}`).toBe('hash');
      const fields = (await app.redis.send(['HGETALL', record], READ)) as readonly string[];
      const session = parseHotSession(fields);
      head = session.head;
      const bytes = fields.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
      expect(head.chargedBytes).toBe(keyBytes + bytes + HOT_OVERHEAD);
      const data = [...session.data].reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0);
      expect({ bytes: head.dataBytes, keys: head.dataKeys }).toEqual({ bytes: data, keys: session.data.size });
      counts.hotBytes += head.chargedBytes;
      const access = head.accessedAtMs.toString(16).padStart(11, '0');
      expected.push(`r\0${access}\0${ulid}`);
    }
    counts.sessions++;
    counts.memory += head.chargedBytes;
    const user = head.userId === null ? '' : escapeControls(head.userId);
    expected.push(`k\0s\0${user}\0${ulid}`, `e\0${String(head.expiresAtMs).padStart(14, '0')}\0s\0\0${ulid}`);
  }
  expect([...members].sort()).toEqual(expected.sort());
  counts.memory += TOMBSTONE * Number(await app.redis.send(['ZCARD', keys.deadSessions(id)], READ));
  const text = await gateState(app, id).read('m');
  const { sessions, hotSessionBytes, spilledSessions, spilledBytes } = unpackCounters(text as string);
  expect({ sessions, hotBytes: hotSessionBytes, spilled: spilledSessions, spilledBytes }).toEqual({
    sessions: counts.sessions,
    hotBytes: counts.hotBytes,
    spilled: counts.spilled,
    spilledBytes: counts.spilledBytes,
  });
  await auditObjects(app, id, used, index);
  return counts;
}

async function auditObjects(
  app: App,
  id: TenantId,
  used: ReadonlyMap<string, number>,
  index: readonly string[],
): Promise<void> {
  const doomed = new Set(
    index.flatMap((member) => {
      const [, object, session] = /^d\0\d{14}\0(\w{26})\.(\w{26})$/.exec(member) ?? [];
      return object === undefined || session === undefined ? [] : [sessionBlob(id, object, session)];
    }),
  );
  const stored = new Map<string, number>();
  for (let cursor: string | undefined; ; ) {
    const page = await app.blobs.list({ prefix: sessionBlobPrefix(id), cursor });
    for (const { key, sizeBytes } of page.items) stored.set(key, sizeBytes);
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  for (const [key, bytes] of used) {
    expect(stored.get(key), 'the object of a stub').toBe(bytes);
    expect(doomed.has(key), 'the object of a stub is to be deleted').toBe(false);
  }
  expect([...stored.keys()].filter((key) => !used.has(key) && !doomed.has(key))).toEqual([]);
}
