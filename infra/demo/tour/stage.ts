/** What the acts of the tour share: each shows one thing an administrator or a tenant can do, and checks it. */
import type { Cast } from '../cast.ts';
import type { DocumentFile } from '../documents.ts';
import type { Progress, ProgressOptions } from '../progress.ts';
import type { DemoService } from '../service.ts';
import type { DuelFigures, SpillFigures } from './sessions/figures.ts';

export interface Stage {
  readonly service: DemoService;
  readonly cast: Cast;
  /** Real ones, in the order of their keys. */
  readonly documents: readonly DocumentFile[];
  /** How many are to be begun, of all tenants together. */
  readonly sessions: number;
  readonly openProgress: (options: ProgressOptions) => Progress;
  readonly signal: AbortSignal;
}

/** A quota that was full, as the refusal told it. */
export interface QuotaHit {
  readonly resource: string;
  readonly status: number;
  readonly code: string;
  readonly used: number;
  readonly limit: number;
  /** null: waiting does not help, removing does. */
  readonly resets_in_ms: number | null;
}

/** What the statistics say of one cache. */
export interface CacheFigures {
  readonly compression: string;
  readonly keys: number;
  readonly hits: number;
  readonly misses: number;
  /** 0 to 1; null: nothing was read. */
  readonly hit_rate: number | null;
  readonly raw_bytes: number;
  readonly packed_bytes: number;
  readonly avg_access_time_us: number | null;
}

export interface Shown {
  /** Each was checked. */
  readonly shown: readonly string[];
  /** What cannot be shown with this service, and why. */
  readonly notShown?: readonly string[];
  readonly quotasMet?: readonly QuotaHit[];
  readonly cacheFigures?: readonly CacheFigures[];
  readonly spill?: SpillFigures;
  readonly duels?: readonly DuelFigures[];
}

export interface Act {
  readonly title: string;
  /** @throws {BrokenClaimError} @throws the reason of `signal`. */
  run(stage: Stage): Promise<Shown>;
}

/** So many that the demo's own haste is not what it shows. */
export const AMPLE_OPERATIONS = { operations_per_minute: 60_000_000 };
