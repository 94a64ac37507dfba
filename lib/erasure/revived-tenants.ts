/**
 * Tenants that were erased and are in Redis again: a backup of it was put back. Receipts stand in S3, so they can be told.
 */
import type { BlobStore } from '../blobs/store.ts';
import { parseTenantId, type TenantId } from '../ids.ts';
import { ERASURE_RECEIPTS, type Keys } from '../keys.ts';
import type { RedisDriver } from '../redis/driver.ts';

/** Receipts looked at in one run: three calls, however many there are. The next run goes on behind them. */
const PAGE = 1_000;

export interface RevivedDeps {
  readonly redis: RedisDriver;
  readonly blobs: BlobStore;
  readonly keys: Keys;
}

/** Of one page of receipts, those whose tenant has a record. */
export async function findRevived(deps: RevivedDeps, signal?: AbortSignal): Promise<readonly TenantId[]> {
  const { redis, blobs, keys } = deps;
  const cursor = await redis.send(['GET', keys.erasuresLooked()], { kind: 'read', signal });
  const after = typeof cursor === 'string' && cursor !== '' ? cursor : undefined;
  const { items, nextCursor } = await blobs.list({ prefix: ERASURE_RECEIPTS, cursor: after, limit: PAGE }, { signal });
  const ids = items.flatMap(({ key }) => parseTenantId(key.slice(ERASURE_RECEIPTS.length, -'.json'.length)) ?? []);
  const records = await redis.sendAll(
    ids.map((id) => ['EXISTS', keys.record(id)]),
    { kind: 'read', signal, name: 'find-revived' },
  );
  await redis.send(['SET', keys.erasuresLooked(), nextCursor ?? ''], { kind: 'write', signal });
  return ids.filter((_id, i) => records[i] === 1);
}
