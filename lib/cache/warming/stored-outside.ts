/** What scripts of administration answer for a tenant instead of its entries. */
import { TenantStateError } from '../../errors.ts';
import { type TenantContext, unpackContext } from '../../gate/context-format.ts';
import type { TenantId } from '../../ids.ts';
import type { Keys } from '../../keys.ts';
import type { RedisDriver, RedisReply } from '../../redis/driver.ts';
import { absent } from '../../tenants/tenant-reader.ts';

/** Of store-cache-entries and peek-cache-entries. */
export const REFUSED = 0;

/** Why a tenant's entries cannot be had: it is deleted, erased, or there is none. One round trip at most. */
export async function whyRefused(
  { redis, keys }: { readonly redis: RedisDriver; readonly keys: Keys },
  id: TenantId,
  [, status]: readonly RedisReply[],
  signal?: AbortSignal,
): Promise<Error> {
  if (status === 'deleted') return new TenantStateError('deletion_pending', 'The tenant is deleted: undelete it first');
  return absent((await redis.send(['EXISTS', keys.erased(id)], { kind: 'read', signal })) === 1);
}

/** The tenant's context as a script tells it: version, generation, JSON. */
export const contextOf = ([version, generation, json]: readonly RedisReply[]): TenantContext =>
  unpackContext(version as string, generation as string, json as string);
