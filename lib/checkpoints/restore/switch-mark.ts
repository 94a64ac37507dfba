/**
 * What says, in the tenant's own slot, that a restore has switched it over: written in the same step. A restore whose process ended
 * before it was told of that finds it here, and does not do it twice: what was written since would be lost.
 */
import type { TenantId } from '../../ids.ts';
import type { Keys } from '../../keys.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import type { RecordCounts } from '../format/manifest-schema.ts';
import type { LoadCursor } from './tenant-loader.ts';

export interface SwitchMark {
  readonly outcome: 'restored' | 'revived';
  /** The generation that served until then; null: none did. */
  readonly retired: number | null;
  /** What was loaded. */
  readonly load: LoadCursor;
}

export interface FoundMark extends SwitchMark {
  /** What the generation had that served until then. */
  readonly counts: RecordCounts;
}

/** As the scripts take it; they add the counts. @param restore an id that no other restore has. */
export const markText = (restore: string, { outcome, retired, load }: SwitchMark): string =>
  `${restore}\n${JSON.stringify({ outcome, retired, load: { ...load, after: null } })}\n`;

/** What is stored; null: another restore wrote it. */
export function parseMark(text: string, restore: string): FoundMark | null {
  const [by, json = '', counted = ''] = text.split('\n');
  if (by !== restore) return null;
  const [cache, session] = counted.split(',').map(Number);
  return { ...(JSON.parse(json) as SwitchMark), counts: { cache: cache ?? 0, session: session ?? 0 } };
}

/** Null: this restore has not switched the tenant over. One round trip. */
export async function findMark(
  { redis, keys }: { readonly redis: RedisDriver; readonly keys: Keys },
  id: TenantId,
  restore: string,
  signal?: AbortSignal,
): Promise<FoundMark | null> {
  const text = await redis.send(['GET', keys.switchMark(id)], { kind: 'read', signal });
  return typeof text === 'string' ? parseMark(text, restore) : null;
}
