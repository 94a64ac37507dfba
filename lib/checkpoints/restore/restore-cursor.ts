/** How far a restore is; kept with its job. */
import type { TenantId } from '../../ids.ts';
import { FIRST_OBJECT, type VerifyPlace } from '../verify-tenant.ts';
import type { WriterCursor } from '../writing/checkpoint-writer.ts';
import type { TenantDiff } from './tenant-diff.ts';
import type { LoadingTenant, TenantOutcome } from './tenant-restore.ts';

/** What became of one session. */
export type SessionOutcome = 'session_restored' | 'terminated' | 'rotated' | 'expired' | 'object_gone';

/** What a restore did to a tenant, or would. */
export interface TenantRow {
  readonly tenant: TenantId;
  readonly outcome: TenantOutcome | SessionOutcome | 'would_restore' | 'would_revive';
  readonly diff: TenantDiff | null;
  readonly cache: number;
  readonly sessions: number;
  readonly terminated: number;
  readonly expired: number;
  readonly damaged: number;
}

/** Of a tenant of which nothing is to be counted but what is given. */
export const rowFor = (
  { tenant }: { readonly tenant: TenantId },
  outcome: TenantRow['outcome'],
  more: Partial<TenantRow> = {},
): TenantRow => ({
  tenant,
  outcome,
  diff: null,
  cache: 0,
  sessions: 0,
  terminated: 0,
  expired: 0,
  damaged: 0,
  ...more,
});

export interface RestoreCursor {
  readonly phase: 'verify' | 'diff' | 'safety' | 'load' | 'late' | 'reclaim' | 'done';
  /** The last tenant this phase has done; null: none. */
  readonly after: TenantId | null;
  /** Where the tenant behind it is read on. */
  readonly place: VerifyPlace;
  readonly safety: WriterCursor | null;
  readonly loading: LoadingTenant | null;
  /** The last tenant of which the generation that was replaced is reclaimed; null: none. */
  readonly reclaimed: TenantId | null;
  /** Parts of the late checkpoint. */
  readonly parts: readonly string[];
  /** Whether anything was written between the safety checkpoint and the switch. */
  readonly lateWritten: boolean;
  /** The tenants with the most to tell; of the others only the sums. */
  readonly rows: readonly TenantRow[];
  readonly sums: Readonly<Record<string, number>>;
  /** Records passed by, for the progress. */
  readonly records: number;
}

export const BEGINS: RestoreCursor = {
  phase: 'verify',
  after: null,
  place: FIRST_OBJECT,
  safety: null,
  loading: null,
  reclaimed: null,
  parts: [],
  lateWritten: false,
  rows: [],
  sums: {},
  records: 0,
};

const MAX_ROWS = 100;

const changesOf = ({ diff, cache, sessions }: TenantRow): number =>
  diff === null
    ? cache + sessions
    : [diff.cache, diff.session].reduce((sum, { created, changed, removed }) => sum + created + changed + removed, 0);

/** With a row more, and the sums of all. */
export function withRow(cursor: RestoreCursor, row: TenantRow): RestoreCursor {
  const sums: Record<string, number> = { ...cursor.sums };
  const add = (name: string, amount: number) => {
    sums[name] = (sums[name] ?? 0) + amount;
  };
  add('tenants', 1);
  add(`tenants_${row.outcome}`, 1);
  for (const name of ['cache', 'sessions', 'terminated', 'expired', 'damaged'] as const) add(name, row[name]);
  for (const kind of ['cache', 'session'] as const)
    for (const [what, count] of Object.entries(row.diff?.[kind] ?? {})) add(`${kind}_${what}`, count);
  const rows = [...cursor.rows, row].toSorted((a, b) => changesOf(b) - changesOf(a)).slice(0, MAX_ROWS);
  return { ...cursor, rows, sums };
}
