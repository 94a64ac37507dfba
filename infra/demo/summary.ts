/** What a run of the demo has shown, as `--json` prints it. */
import type { LimitProof } from './prove-limit.ts';
import type { Shelf } from './shelf.ts';
import type { OperationTimes } from './stopwatch.ts';
import type { Bill } from './tour/prove-bill.ts';
import type { UsageMinute } from './tour/prove-usage.ts';
import type { SessionFigures } from './tour/sessions/figures.ts';
import type { CacheFigures, QuotaHit } from './tour/stage.ts';

export interface TenantSummary {
  readonly name: string;
  readonly id: string;
  readonly plan: string;
  readonly documents: number;
  readonly bytes_in: number;
  readonly bytes_stored: number;
  /** bytes_stored ÷ bytes_in */
  readonly stored_ratio: number;
  readonly hits: number;
  readonly misses: number;
  /** All its requests, refused ones too. */
  readonly calls: number;
}

export interface OperationSummary {
  readonly operation: string;
  readonly count: number;
  readonly p50_ms: number;
  readonly p95_ms: number;
  readonly p99_ms: number;
}

export interface Left {
  /** Kept, as `--keep` asks. */
  readonly tenants: readonly string[];
  /** Of the tenants that are kept; they expire. */
  readonly documents: number;
  /** Deleted: the next run of the schedule erases them. */
  readonly to_be_erased: readonly string[];
}

export interface Summary {
  readonly ok: true;
  readonly service: { readonly url: string; readonly started_by_demo: boolean };
  /** Found below node_modules and taken; each tenant stored each. */
  readonly documents: number;
  readonly documents_too_large: number;
  readonly concurrency_per_tenant: number;
  readonly tenants: readonly TenantSummary[];
  readonly operations: readonly OperationSummary[];
  readonly limit: {
    readonly operations_per_minute: number;
    readonly burst: number;
    readonly admitted: number;
    readonly refused: number;
    readonly retry_after_seconds: number;
  };
  /** Refusals of quotas that were full. */
  readonly quotas_met: readonly QuotaHit[];
  /** The same documents in caches that pack them in different ways. */
  readonly cache: readonly CacheFigures[];
  readonly sessions: SessionFigures;
  /** null: nothing is priced in this deployment. */
  readonly bill: Bill | null;
  readonly usage: readonly UsageMinute[];
  readonly audit: { readonly entries: number; readonly head: string };
  /** Each was checked. */
  readonly shown: readonly string[];
  /** What this service cannot show, and why. */
  readonly not_shown: readonly string[];
  /** In a service the demo did not start. null: it is gone as a whole. */
  readonly left: Left | null;
  /** Without starting and stopping a service. */
  readonly took_ms: number;
}

/** One tenant's row. */
export function summariseShelf(shelf: Shelf): TenantSummary {
  const { name, id, plan, calls } = shelf.tenant;
  const { documents, bytesIn, bytesStored, hits, misses } = shelf.totals();
  const ratio = bytesIn === 0 ? 1 : round(bytesStored / bytesIn, 4);
  return {
    name,
    id,
    plan,
    documents,
    bytes_in: bytesIn,
    bytes_stored: bytesStored,
    stored_ratio: ratio,
    hits,
    misses,
    calls: calls(),
  };
}

/** One operation's row; milliseconds to the microsecond. */
export const summariseTimes = ({ operation, count, p50Ms, p95Ms, p99Ms }: OperationTimes): OperationSummary => ({
  operation,
  count,
  p50_ms: round(p50Ms, 3),
  p95_ms: round(p95Ms, 3),
  p99_ms: round(p99Ms, 3),
});

/** What the third tenant met. */
export const summariseLimit = (proof: LimitProof): Summary['limit'] => ({
  operations_per_minute: proof.operationsPerMinute,
  burst: proof.burst,
  admitted: proof.admitted,
  refused: proof.refused,
  retry_after_seconds: proof.retryAfterSeconds,
});

const round = (value: number, digits: number) => Number(value.toFixed(digits));
