/** Which sessions are moved to S3 next, of all tenants together. Pure; all sizes in bytes. */
import type { TenantId } from '../../../ids.ts';
import type { FoundSession } from '../coldest-sessions.ts';

/** A hot session, and what it is charged. */
export interface ColdSession extends FoundSession {
  readonly bytes: number;
}

export interface SpillTenant {
  readonly id: TenantId;
  /** Of all its hot sessions. */
  readonly hotBytes: number;
  /** Of the memory there is for hot sessions, when all tenants are above it: who has no more gives none. */
  readonly fairBytes: number;
  /** What it keeps hot whatever the others have; null: as much as there is memory for. */
  readonly ownBytes: number | null;
  /** Its hot sessions that were not used for longest, coldest first: a page of them. */
  readonly coldest: readonly ColdSession[];
  /** It has others behind that page. */
  readonly more: boolean;
}

export interface SpillGoal {
  /** Hot bytes of all tenants, also of those that are not looked at. */
  readonly totalBytes: number;
  /** To which they are brought down. */
  readonly thresholdBytes: number;
  /** Sessions of one tenant that are moved at once. */
  readonly batchSize: number;
  /** Sessions chosen at most. */
  readonly maxSessions: number;
}

export interface SpillBatch {
  readonly id: TenantId;
  readonly sessions: readonly ColdSession[];
}

export interface OwnSettings {
  /** Part of what it may have hot above which sessions are moved. */
  readonly thresholdRatio: number;
  /** The ratio is its own choice. */
  readonly hasOwnRatio: boolean;
  /** Of its own choice; null: none. */
  readonly maxHotBytes: number | null;
}

interface Giver extends SpillTenant {
  hotLeft: number;
  next: number;
}

/**
 * The sessions that are moved now: the coldest of all first, until all tenants together are at the threshold, and each is at what
 * it may keep itself. A tenant gives while it has more than its fair share, so it ends at most one session below it. Ends early
 * where a page has run out: what is behind it may be colder than all the rest.
 * @returns batches of one tenant each, in the order of their coldest sessions. Ties break on ids, so two passes agree.
 */
export function chooseSpill(tenants: readonly SpillTenant[], goal: SpillGoal): readonly SpillBatch[] {
  const givers = tenants.map((tenant): Giver => ({ ...tenant, hotLeft: tenant.hotBytes, next: 0 }));
  const chosen = new Map<TenantId, ColdSession[]>();
  let total = goal.totalBytes;
  for (let count = 0; count < goal.maxSessions; count++) {
    const giving = givers.filter((giver) => gives(giver, total > goal.thresholdBytes));
    if (giving.some(({ coldest, next, more }) => next >= coldest.length && more)) break;
    const giver = coldestOf(giving);
    if (giver === undefined) break;
    const session = giver.coldest[giver.next++] as ColdSession;
    giver.hotLeft -= session.bytes;
    total -= session.bytes;
    chosen.set(giver.id, [...(chosen.get(giver.id) ?? []), session]);
  }
  return [...chosen].flatMap(([id, sessions]) =>
    inBatches(sessions, goal.batchSize).map((batch) => ({ id, sessions: batch })),
  );
}

/** Whether a tenant would have to give more than `coldest` has: it is to be asked for its next page. */
export const isShort = (tenant: SpillTenant, goal: Pick<SpillGoal, 'totalBytes' | 'thresholdBytes'>): boolean =>
  tenant.more &&
  tenant.coldest.length === 0 &&
  gives({ ...tenant, hotLeft: tenant.hotBytes }, goal.totalBytes > goal.thresholdBytes);

const gives = ({ hotLeft, fairBytes, ownBytes }: Omit<Giver, 'next'>, isPressed: boolean): boolean =>
  (isPressed && hotLeft > fairBytes) || (ownBytes !== null && hotLeft > ownBytes);

function coldestOf(givers: readonly Giver[]): Giver | undefined {
  let best: Giver | undefined;
  for (const giver of givers) {
    if (giver.next < giver.coldest.length && (best === undefined || isColder(giver, best))) best = giver;
  }
  return best;
}

function isColder(one: Giver, other: Giver): boolean {
  const a = one.coldest[one.next] as ColdSession;
  const b = other.coldest[other.next] as ColdSession;
  if (a.access !== b.access) return a.access < b.access;
  if (a.ulid !== b.ulid) return a.ulid < b.ulid;
  return one.id < other.id;
}

const inBatches = <T>(all: readonly T[], size: number): readonly T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));

/**
 * What a tenant keeps hot of its own limit, as it has chosen; above it sessions are moved also while there is memory.
 * @returns null: it has chosen nothing.
 */
export const ownBytesOf = (
  { shareBytes, settings }: { readonly shareBytes: number; readonly settings: OwnSettings },
  { poolIsEmpty }: { readonly poolIsEmpty: boolean },
): number | null => {
  const { thresholdRatio, maxHotBytes, hasOwnRatio } = settings;
  // A share is no limit while it can be raised.
  const limit = maxHotBytes ?? (hasOwnRatio && poolIsEmpty ? shareBytes : null);
  return limit === null ? null : Math.floor(limit * thresholdRatio);
};
