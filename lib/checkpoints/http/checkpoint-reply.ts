/** Checkpoints as administration sees them. */
import type { TenantId } from '../../ids.ts';
import { isoOf } from '../../iso-time.ts';
import type { CheckpointPage } from '../checkpoints.ts';
import type { CheckpointHeader, CheckpointManifest, CheckpointTenant } from '../format/manifest-schema.ts';
import type { CheckpointVerdict } from '../format/verdict.ts';
import { toShownProblem } from '../verify-job.ts';
import type { CheckpointListResponse, CheckpointResponse, CheckpointSummary } from './checkpoint-contract.ts';

const UNREADABLE =
  'Its manifest cannot be read, or a newer version wrote it. Nothing it names is removed while it is there. Bring its object ' +
  'back from the versions of the bucket or from a backup, or delete it';

/** Which of its tenants are shown. */
export interface TenantQuery {
  readonly tenant_id?: TenantId | undefined;
  readonly limit: number;
  /** The last one of the page before. */
  readonly cursor?: TenantId | undefined;
}

export const toListReply = ({ items, nextCursor }: CheckpointPage): CheckpointListResponse => ({
  items: items.map((item) =>
    'readable' in item ? { id: item.id, readable: false, problem: UNREADABLE } : toSummary(item),
  ),
  next_cursor: nextCursor,
});

export function toCheckpointReply(
  { header, tenants }: CheckpointManifest,
  verdict: CheckpointVerdict | null,
  { tenant_id: only, limit, cursor }: TenantQuery,
): CheckpointResponse {
  const asked = tenants.filter(({ tenant }) => (only === undefined || tenant === only) && tenant > (cursor ?? ''));
  const page = asked.slice(0, limit);
  return {
    ...toSummary(header),
    verified: verdict && toVerified(verdict),
    tenant_items: page.map(toTenant),
    next_cursor: asked.length > limit ? (page.at(-1)?.tenant ?? null) : null,
  };
}

function toSummary({ format: _, deployment: __, counts, ...header }: CheckpointHeader): CheckpointSummary {
  const took_ms = Math.max(0, Date.parse(header.finished_at) - Date.parse(header.started_at));
  return { ...header, readable: true, took_ms, cache_entries: counts.cache, sessions: counts.session };
}

const toTenant = ({ tenant, runs, counts, bytes }: CheckpointTenant) => ({
  tenant_id: tenant,
  as_of: isoOf(runs.at(-1)?.started_at_ms ?? 0),
  cache_entries: counts.cache,
  sessions: counts.session,
  bytes,
  runs: runs.length,
});

const toVerified = ({ format: _, problems, ...verdict }: CheckpointVerdict) => ({
  ...verdict,
  problems: problems.map(toShownProblem),
});
