/** What was written to a tenant between the safety checkpoint and the switch: from the generation that was retired, so nothing is lost. */
import type { TenantId } from '../../ids.ts';
import type { Keys } from '../../keys.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { epochsFrom, type InvalidationEpochs } from '../format/invalidation-epochs.ts';
import type { PartLine } from '../format/manifest-part.ts';
import type { CheckpointTenant, RecordCounts } from '../format/manifest-schema.ts';
import type { TenantWriter } from '../writing/tenant-writer.ts';

/** Later than any epoch. */
const ALL = 99_999_999_999_999;

export interface RetiredTenant {
  /** The generation. */
  readonly retired: number;
  /** What it had; null: as the safety checkpoint says. */
  readonly counts: RecordCounts | null;
  /** Whether the safety checkpoint has the cache. */
  readonly cache: boolean;
}

export type LateChanges = ReturnType<typeof createLateChanges>;

export function createLateChanges(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly writer: Pick<TenantWriter, 'write'>;
  /** Unix ms. */
  readonly now: () => number;
}) {
  const { redis, keys, writer, now } = deps;

  /** Invalidations that were not settled when the generation was retired: members of its index. */
  const hidingIn = async (id: TenantId, retired: number, signal: AbortSignal): Promise<InvalidationEpochs> => {
    const members = (await redis.send(['ZRANGE', keys.index(id, retired), '[x\0', '(x\x01', 'BYLEX'], {
      kind: 'read',
      signal,
    })) as readonly string[];
    const fields = members.map((member) => [member.slice(19), String(Number(member.slice(2, 18)))] as const);
    const all = fields.find(([name]) => name === '')?.[1];
    return epochsFrom(Number(all ?? 0), fields.filter(([name]) => name !== '').flat());
  };

  return {
    /** The lines of a part: as the safety checkpoint has the tenant, and a run of what changed after that. */
    async parts(
      safety: CheckpointTenant,
      { retired, counts: found, cache }: RetiredTenant,
      signal: AbortSignal,
    ): Promise<readonly PartLine[]> {
      const { runs, counts: before, bytes: _bytes, ...facts } = safety;
      const counts = found === null ? before : { cache: cache ? found.cache : 0, session: found.session };
      const nowMs = now();
      const open = {
        tenant: safety.tenant as TenantId,
        generation: retired,
        epochs: { from: safety.epoch, to: ALL },
        after: null,
        counts,
        lines: 0,
        nowMs,
        epoch: safety.epoch,
      };
      const { parts } = await writer.write(open, { cache, retired: true, signal }, () => false);
      const epochs = await hidingIn(safety.tenant as TenantId, retired, signal);
      const hides = epochs.all > 0 || Object.keys({ ...epochs.namespaces, ...epochs.tags }).length > 0;
      const written = hides || parts.some(({ part }) => part === 'objects');
      const run = written ? { started_at_ms: nowMs, epochs } : null;
      return [{ part: 'begun', ...facts, kept: runs, run }, ...parts];
    },
  };
}
