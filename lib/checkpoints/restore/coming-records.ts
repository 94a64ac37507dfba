/** Which records of a checkpoint come back: not what has expired since, what was damaged already, and sessions that were ended. */
import { parseHead } from '../../cache/entry-format.ts';
import { AppError } from '../../errors.ts';
import type { TenantId } from '../../ids.ts';
import type { Keys } from '../../keys.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { parseHotHead } from '../../sessions/session-format.ts';
import type { TenantPlace } from '../../tenants/tenant-place.ts';
import type { CheckpointRecord, ColdSessionRecord, HotSessionRecord } from '../format/checkpoint-line.ts';

type SessionRecord = HotSessionRecord | ColdSessionRecord;

interface ComingDeps {
  readonly redis: RedisDriver;
  readonly keys: Keys;
}

const PAGE = 256;

const headerOf = (session: SessionRecord): string => ('hash' in session ? (session.hash.h ?? '') : session.stub);

/** Sessions among them that were ended: their tombstones have no generation. One round trip. */
export async function endedAmong(
  { redis, keys }: ComingDeps,
  { id, signal }: Pick<TenantPlace, 'id' | 'signal'>,
  records: readonly CheckpointRecord[],
  nowMs: number,
): Promise<ReadonlySet<CheckpointRecord>> {
  const sessions = records.flatMap((record) => (record.kind === 'session' ? [record] : []));
  if (sessions.length === 0) return new Set();
  const marks = sessions.map((session) => `${session.id}-${secretOf(headerOf(session))}`);
  const scores = (await redis.send(['ZMSCORE', keys.deadSessions(id), ...marks], {
    kind: 'read',
    signal,
  })) as readonly (string | number | null)[];
  return new Set(sessions.filter((_, i) => scores[i] !== null && Number(scores[i]) > nowMs));
}

/** The second part of a session's id, of its header. */
const secretOf = (header: string): string => header.split(',', 4)[3] ?? '';

/** As a restore would load them. @param place of the tenant. @param nowMs Unix ms. */
export async function* comingRecords(
  deps: ComingDeps,
  place: { readonly id: TenantId; readonly signal?: AbortSignal },
  records: AsyncIterable<CheckpointRecord>,
  nowMs: number,
): AsyncGenerator<CheckpointRecord> {
  let page: CheckpointRecord[] = [];
  const flush = async () => {
    const ended = await endedAmong(deps, place, page, nowMs);
    const coming = page.filter((record) => !ended.has(record) && expiryOf(record) > nowMs);
    page = [];
    return coming;
  };
  for await (const record of records) {
    page.push(record);
    if (page.length === PAGE) yield* await flush();
  }
  yield* await flush();
}

/** Unix ms; 0: it cannot be read. */
function expiryOf(record: CheckpointRecord): number {
  try {
    if (record.kind === 'cache') return parseHead(record.stored).head.expiresAtMs ?? Number.POSITIVE_INFINITY;
    return parseHotHead(headerOf(record).split('\n', 1)[0] as string).head.expiresAtMs;
  } catch (error) {
    if (error instanceof AppError) return 0;
    throw error;
  }
}
