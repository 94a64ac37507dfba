/** The checkpoint that undoes a restore: the safety checkpoint, and what was written until each tenant was switched over. */
import { isoOf } from '../../iso-time.ts';
import type { CheckpointStore } from '../checkpoint-store.ts';
import { buildManifest } from '../format/manifest.ts';
import { joinParts, type PartLine } from '../format/manifest-part.ts';
import type { RestoreParams } from './restore-scope.ts';

export type LateManifest = ReturnType<typeof createLateManifest>;

export function createLateManifest({
  store,
  now,
}: {
  readonly store: CheckpointStore /** Unix ms. */;
  readonly now: () => number;
}) {
  return {
    /** Once; again, it changes nothing. */
    async write(
      { safety, late, checkpoint }: RestoreParams,
      parts: readonly string[],
      signal: AbortSignal,
    ): Promise<void> {
      const before = await store.getManifest(safety, signal);
      const found: (readonly PartLine[])[] = [];
      for await (const part of store.readParts(late, parts, signal)) found.push(part);
      const changed = joinParts(found);
      const names = new Set(changed.map(({ tenant }) => tenant));
      const tenants = [...before.tenants.filter(({ tenant }) => !names.has(tenant)), ...changed];
      const bytes = tenants.reduce((sum, tenant) => sum + tenant.bytes, 0);
      const { deployment, cache, config_version, started_at } = before.header;
      const manifest = buildManifest(
        {
          id: late,
          type: 'safety',
          description: `As it was until the restore of ${checkpoint}`,
          deployment,
          started_at,
          finished_at: isoOf(now()),
          base: safety,
          cache,
          config_version,
          new_bytes: Math.max(0, bytes - before.header.bytes),
        },
        tenants,
      );
      await store.putManifest(manifest, signal);
    },
  };
}
