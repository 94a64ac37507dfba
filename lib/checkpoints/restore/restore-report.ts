/** What a restore came to, as its job tells it. */
import type { JsonFields } from '../../jobs/job.ts';
import type { CheckpointManifest } from '../format/manifest-schema.ts';
import type { RestoreCursor, TenantRow } from './restore-cursor.ts';
import type { RestoreParams } from './restore-scope.ts';

export function reportOf(params: RestoreParams, { header }: CheckpointManifest, cursor: RestoreCursor): JsonFields {
  const undo = cursor.safety === null ? null : cursor.lateWritten ? params.late : params.safety;
  return {
    checkpoint_id: params.checkpoint,
    taken_at: header.started_at,
    dry_run: params.dry_run,
    scope: params.scope.kind,
    sessions: params.sessions,
    cache: params.cache && header.cache,
    safety_checkpoint_id: cursor.safety === null ? null : params.safety,
    undo_checkpoint_id: undo,
    totals: cursor.sums,
    tenants: cursor.rows.map(rowOf),
  };
}

const rowOf = ({ tenant, outcome, diff, cache, sessions, terminated, expired, damaged }: TenantRow): JsonFields => ({
  tenant_id: tenant,
  outcome,
  ...(diff === null
    ? { cache_entries: cache, sessions, terminated_sessions: terminated, expired, damaged }
    : { cache: { ...diff.cache }, sessions: { ...diff.session } }),
});
