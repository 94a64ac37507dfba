/** Reads what a checkpoint has of a tenant. The tenant need not be there: its data keys are in S3. */
import { type ContextData, EMPTY_CONTEXT, type KeyRef } from '../../gate/context-format.ts';
import type { CheckpointStore } from '../checkpoint-store.ts';
import type { CheckpointRecord } from '../format/checkpoint-line.ts';
import type { ObjectSource } from '../format/frame-reader.ts';
import type { CheckpointTenant } from '../format/manifest-schema.ts';
import { mergeRuns } from '../format/merged-run.ts';
import { readRun } from '../format/run-reader.ts';

/** More versions of a data key than a tenant can have: lib/crypto/tenant-keys.ts. */
const MAX_VERSIONS = 200;
const ANY_KEY: readonly KeyRef[] = Array.from({ length: MAX_VERSIONS }, (_, i) => ({ version: i + 1, key_id: '' }));
/** Names every version: which of them there are is known where the keys are. */
const CONTEXT: ContextData = { ...EMPTY_CONTEXT, keys: ANY_KEY };

export const sourceOf = (
  store: CheckpointStore,
  { tenant }: Pick<CheckpointTenant, 'tenant'>,
  signal?: AbortSignal,
): ObjectSource => store.sourceOf(tenant, CONTEXT, signal);

/**
 * The records of a tenant in their order, as they were. @param after order of a record: only those behind it.
 * @throws as `mergeRuns`, and as TenantCipher.open.
 */
export function recordsOf(
  store: CheckpointStore,
  line: CheckpointTenant,
  signal?: AbortSignal,
  after: string | null = null,
): AsyncGenerator<CheckpointRecord> {
  const source = sourceOf(store, line, signal);
  return mergeRuns(line.runs.map(({ objects, epochs }) => ({ epochs, lines: readRun(objects, source, after) })));
}
