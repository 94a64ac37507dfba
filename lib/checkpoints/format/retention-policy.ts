import type { CheckpointType } from './manifest-schema.ts';

/** A checkpoint that stands. */
export interface KeptCheckpoint {
  readonly id: string;
  /** Unix ms. */
  readonly startedAtMs: number;
  readonly type: CheckpointType;
}

/** How many to keep. */
export interface RetentionLadder {
  /** The newest; at least 1. */
  readonly max: number;
  /** Beside them, of as many of the last hours, days and weeks (UTC, from Monday) that have some, the newest of each. */
  readonly hourly: number;
  readonly daily: number;
  readonly weekly: number;
}

export interface RetentionRule {
  readonly ladder: RetentionLadder;
  /** Unix ms. */
  readonly nowMs: number;
}

/** A checkpoint made before a restore is kept for so long, and takes no other's place: it undoes the restore, and has only its tenants. */
export const SAFETY_KEPT_MS = 86_400_000;

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** Unix time began on a Thursday. */
const MONDAY_MS = 3 * DAY_MS;

/** The checkpoints to remove, the oldest first. Never the newest of all tenants. Ties break on id, so two runs agree. */
export function chooseRetired<C extends KeptCheckpoint>(
  checkpoints: readonly C[],
  { ladder, nowMs }: RetentionRule,
): readonly C[] {
  const newestFirst = checkpoints.toSorted((a, b) => b.startedAtMs - a.startedAtMs || (a.id < b.id ? 1 : -1));
  const whole = newestFirst.filter(({ type }) => type !== 'safety');
  const kept = new Set<C>([
    ...whole.slice(0, Math.max(1, ladder.max)),
    ...newestOfSlots(whole, ladder.hourly, (ms) => Math.floor(ms / HOUR_MS)),
    ...newestOfSlots(whole, ladder.daily, (ms) => Math.floor(ms / DAY_MS)),
    ...newestOfSlots(whole, ladder.weekly, (ms) => Math.floor((ms + MONDAY_MS) / WEEK_MS)),
    ...newestFirst.filter(({ type, startedAtMs }) => type === 'safety' && startedAtMs > nowMs - SAFETY_KEPT_MS),
  ]);
  return newestFirst.filter((checkpoint) => !kept.has(checkpoint)).reverse();
}

/** Of the last `count` slots that have some, the newest of each. */
function newestOfSlots<C extends KeptCheckpoint>(
  newestFirst: readonly C[],
  count: number,
  slotOf: (ms: number) => number,
): readonly C[] {
  const slots = new Map<number, C>();
  for (const checkpoint of newestFirst) {
    const slot = slotOf(checkpoint.startedAtMs);
    if (!slots.has(slot)) slots.set(slot, checkpoint);
  }
  return [...slots.values()].slice(0, count);
}
