/** Manifests for tests: of tenants whose runs were written into memory. */
import type { CheckpointObject } from '../../lib/checkpoints/format/checkpoint-object.ts';
import { NO_EPOCHS } from '../../lib/checkpoints/format/invalidation-epochs.ts';
import { buildManifest, bytesOf } from '../../lib/checkpoints/format/manifest.ts';
import type { CheckpointFacts, CheckpointTenant } from '../../lib/checkpoints/format/manifest-schema.ts';
import { newCheckpointId, newTenantId } from '../../lib/ids.ts';
import { cacheLine, createObjectMemory, ulidOf } from './checkpoint-lines.ts';

/** A data object that is nowhere: of one frame. */
export const objectOf = (number: number, bytes = 100): CheckpointObject => ({
  name: ulidOf(number),
  bytes,
  frames: [{ offset: 0, length: bytes, raw_bytes: 2 * bytes, sha256: 'ab'.repeat(32), lines: 3, sealed: false }],
});

export const tenantOf = (number: number, changes: Partial<CheckpointTenant> = {}): CheckpointTenant => {
  const runs = [{ started_at_ms: 1795227660003, epochs: NO_EPOCHS, objects: [objectOf(1)] }];
  const tenant = {
    tenant: newTenantId(ulidOf(number)),
    generation: 1,
    epoch: 1795227660004,
    seq: 41,
    counters: 'm5,1,2',
    state: null,
    state_of: '',
    counts: { cache: 3, session: 0 },
    runs,
    ...changes,
  };
  return { bytes: bytesOf(tenant), ...tenant };
};

export const FACTS: CheckpointFacts = {
  id: newCheckpointId(ulidOf(1)),
  type: 'manual',
  description: 'before the release ž',
  deployment: ulidOf(9),
  started_at: '2026-11-21T02:21:00.003Z',
  finished_at: '2026-11-21T02:21:01.500Z',
  base: null,
  cache: true,
  config_version: 7,
  new_bytes: 100,
};

/** A checkpoint of one small tenant, with its objects. */
export async function smallCheckpoint(sealed = false) {
  const memory = createObjectMemory();
  const run = await memory.write([cacheLine('a', 'c2,one'), cacheLine('b', 'c2,two')], sealed);
  const runs = [{ started_at_ms: 1795227660003, epochs: NO_EPOCHS, objects: run.objects }];
  const manifest = buildManifest({ ...FACTS, new_bytes: run.bytes }, [
    tenantOf(1, { runs, counts: { cache: 2, session: 0 } }),
  ]);
  return { memory, run, manifest };
}
