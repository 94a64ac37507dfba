/** A tenant's counters and index beside what is really stored. */
import { expect } from 'vitest';
import type { App } from '../../lib/app.ts';
import { parseHead } from '../../lib/cache/entry-format.ts';
import type { TenantId } from '../../lib/ids.ts';
import { type EntryName, KEPT_GENERATION, type RecordKind, unescapeControls } from '../../lib/keys.ts';
import { gateState } from './gate-state.ts';
import { accessMember, expiryMember, keyMember, tagMember } from './index-member.ts';
import { auditSessions } from './session-audit.ts';
import { generationOf, keysOf, tenantState } from './tenant-state.ts';

const RECORD_OVERHEAD_BYTES = 200;
const TOMBSTONE_BYTES = 128;

/** How many records there are of each kind. */
export type RecordCounts = Readonly<Record<RecordKind, number>>;

/** The expiry a stored record is listed under, Unix ms; null: never. */
const LISTED_UNDER: Readonly<Record<Exclude<RecordKind, 's'>, (stored: string) => number | null>> = {
  c: (stored) => parseHead(stored).head.expiresAtMs,
  l: (stored) => Number(/^l1,[fb],\d{7},\d{10},\d{16},\d{14},(\d{14}),[0-9a-f-]{136}$/.exec(stored)?.[1]),
  i: (stored) => Number(/^i1,[rd],[^,]+,\d+,(\d+),[\w-]+\n/.exec(stored)?.[1]),
};

/** Fails unless every record is counted, charged and indexed once, and nothing else is. */
export async function auditRecords(app: App, id: TenantId): Promise<RecordCounts> {
  const sessions = await auditSessions(app, id);
  const state = await tenantState(app, id);
  const all = state.index as readonly string[];
  expect(all.filter(isKept), 'what no generation takes away').toEqual(state.keptIndex);
  // Objects in S3 to be deleted, and those that another generation had, are of no record; what changed is told to checkpoints.
  const index = all.filter((member) => !/^[dow]\0/.test(member) && !isOfSession(member));
  const records = index.flatMap((member) => {
    const [part, kind, namespace, key] = member.split('\0') as [string, Exclude<RecordKind, 's'>, string, string];
    return part === 'k' ? [{ kind, name: { namespace, key: unescapeControls(key) } }] : [];
  });
  const generation = await generationOf(app, id);
  const members: string[] = [];
  const counts = { c: 0, l: 0, i: 0, s: sessions.sessions };
  let memory = sessions.memory;
  let kept = TOMBSTONE_BYTES * Number(await app.redis.send(['ZCARD', keysOf(app).deadSessions(id)], { kind: 'read' }));
  let storage = (await committedStorage(app, id)) + sessions.spilledBytes;
  for (const { kind, name } of records) {
    const redisKey = keysOf(app).counted(id, kind === 'c' ? generation : KEPT_GENERATION, kind, name);
    const stored = (await app.redis.send(['GET', redisKey], { kind: 'read' })) as string;
    const expiresAtMs = LISTED_UNDER[kind](stored);
    const charged = Buffer.byteLength(redisKey) + Buffer.byteLength(stored) + RECORD_OVERHEAD_BYTES;
    memory += charged;
    if (kind !== 'c') kept += charged;
    counts[kind]++;
    members.push(keyMember(name, kind));
    if (kind === 'c') members.push(...furtherMembers(name, stored));
    if (kind === 'c') storage += parseHead(stored).head.blob?.bytes ?? 0;
    if (expiresAtMs !== null) members.push(expiryMember(name, expiresAtMs, kind));
  }
  expect([...index].sort()).toEqual(members.sort());
  const counted = await gateState(app, id).meter();
  expect(counted).toMatchObject({
    ...{ memory: BigInt(memory), storage: BigInt(storage), entries: BigInt(counts.c) },
    kept: BigInt(kept),
  });
  expectTold(all, counted.feedEpoch);
  return counts;
}

/** Changes are told of under an epoch that has begun. */
function expectTold(index: readonly string[], feedEpoch: bigint): void {
  const epochs = index.flatMap((member) => (/^w\0\d{14}\0/.test(member) ? [BigInt(member.slice(2, 16))] : []));
  for (const epoch of epochs) expect(epoch > 0n && epoch <= feedEpoch, 'an epoch of a change').toBe(true);
}

/** Of the state of a limit, or of an idempotent call. */
const isKept = (member: string): boolean => /^(?:k|e\0\d{14})\0[li]\0/.test(member);

const isOfSession = (member: string): boolean => /^(?:k\0s|r|e\0\d{14}\0s)\0/.test(member);

/** Bytes kept elsewhere that were committed of reservations. */
async function committedStorage(app: App, id: TenantId): Promise<number> {
  const held = await gateState(app, id).read('r');
  return Number(held?.split(',')[5] ?? 0);
}

/** Members of a cache entry besides those that list it and its expiry. */
function furtherMembers(name: EntryName, stored: string): string[] {
  if (stored.startsWith('c1')) return [];
  const { head, meta } = parseHead(stored);
  const tags = (meta.tags ?? []).map((tag) => tagMember(name, tag));
  return [accessMember(name, stored.slice(12, 20), head.blob === null ? 'a' : 's'), ...tags];
}

/** As {@link auditRecords}. @returns how many cache entries there are. */
export const auditTenant = async (app: App, id: TenantId): Promise<number> => (await auditRecords(app, id)).c;
