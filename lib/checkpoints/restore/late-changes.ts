/** What was written to a tenant between the safety checkpoint and the switch: from the generation that was retired, so nothing is lost. */
import type { TenantId } from '../../ids.ts';
import { NO_EPOCHS } from '../format/invalidation-epochs.ts';
import type { PartLine } from '../format/manifest-part.ts';
import type { CheckpointTenant } from '../format/manifest-schema.ts';
import type { TenantWriter } from '../writing/tenant-writer.ts';

/** Later than any epoch. */
const ALL = 99_999_999_999_999;

export type LateChanges = ReturnType<typeof createLateChanges>;

export function createLateChanges({
  writer,
  now,
}: {
  readonly writer: Pick<TenantWriter, 'write'>;
  readonly now: () => number;
}) {
  return {
    /** The lines of a part: as the safety checkpoint has the tenant, and a run of what changed after that. */
    async parts(
      safety: CheckpointTenant,
      retired: number,
      cache: boolean,
      signal: AbortSignal,
    ): Promise<readonly PartLine[]> {
      const { runs, counts, bytes: _bytes, ...facts } = safety;
      const nowMs = now();
      const open = {
        tenant: safety.tenant as TenantId,
        generation: retired,
        epochs: { from: safety.epoch, to: ALL },
        after: null,
        counts,
        lines: 0,
        nowMs,
      };
      const { parts } = await writer.write(open, { cache, retired: true, signal }, () => false);
      const written = parts.some(({ part }) => part === 'objects');
      const run = written ? { started_at_ms: nowMs, epochs: NO_EPOCHS } : null;
      return [{ part: 'begun', ...facts, kept: runs, run }, ...parts];
    },
  };
}
