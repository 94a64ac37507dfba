/** What the acts about sessions measured, as `--json` prints it. */
import type { OperationSummary } from '../../summary.ts';

/** At one time, of all tenants of the act together. */
export interface MemoryMoment {
  /** Since the act began. */
  readonly at_ms: number;
  /** What the act was doing. */
  readonly phase: string;
  readonly hot: number;
  readonly hot_bytes: number;
  /** In S3. */
  readonly cold: number;
  /** Of their objects. */
  readonly cold_bytes: number;
}

/** Sessions that went one way between Redis and S3. */
export interface Moves {
  readonly move: 'spill' | 'restore';
  readonly sessions: number;
  readonly operations: number;
  /** As the service counts it. */
  readonly avg_ms: number;
  /** Of the averages of the intervals between two looks at the service; null: none were seen. */
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
}

export interface SpillFigures {
  readonly tenants: number;
  readonly sessions: number;
  /** Of the documents they hold. */
  readonly document_bytes: number;
  readonly budget_bytes: number;
  readonly threshold_ratio: number;
  /** The most that was ever seen. */
  readonly peak_hot_bytes: number;
  /** Once all were there and the service was at rest. */
  readonly settled: MemoryMoment;
  readonly moves: readonly Moves[];
  /** As the callers saw them. */
  readonly operations: readonly OperationSummary[];
  readonly memory: readonly MemoryMoment[];
  /** Of the sessions in S3; null: the S3 of this service is not known here. */
  readonly objects: ObjectFigures | null;
}

export interface ObjectFigures {
  readonly count: number;
  readonly bytes: number;
  /** Some of their names. */
  readonly names: readonly string[];
}

/** Many writers of one session at once: what was there in the end. */
export interface DuelFigures {
  readonly way: string;
  readonly writers: number;
  /** Acknowledged, of all of them. */
  readonly writes: number;
  /** Of those, not there in the end. */
  readonly lost: number;
  readonly calls: number;
  readonly took_ms: number;
}

export interface SessionFigures {
  /** null: it was not shown. */
  readonly spill: SpillFigures | null;
  readonly duels: readonly DuelFigures[];
}
