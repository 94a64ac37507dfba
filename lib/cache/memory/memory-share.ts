/** What each tenant may use when all together use more memory than there is. Pure. */
import { fairLevel } from '../../fair-level.ts';

export interface MemoryUse {
  /** Now, bytes. */
  readonly usedBytes: number;
  /** Its quota, bytes. */
  readonly quotaBytes: number;
  /** Its share as it is set; 0: none. */
  readonly shareBytes: number;
}

/** A tenant that uses so much of its share would use more without it. */
const PRESSED = 0.9;

/**
 * The shares, max-min fair: a tenant that uses less than the others is left alone, those that use more are cut to one level, as
 * high as the budget allows. A tenant whose share holds it down counts with its quota, so that a share is not lifted only
 * because it does what it is for.
 * @returns a share for each, in their order; 0: none is needed.
 */
export function fairShares(uses: readonly MemoryUse[], budgetBytes: number): readonly number[] {
  const inForce = uses.some(({ shareBytes }) => shareBytes > 0);
  const total = uses.reduce((sum, { usedBytes }) => sum + usedBytes, 0);
  if (!inForce && total <= budgetBytes) return uses.map(() => 0);
  const wants = uses.map(wantedBytes);
  const level = fairLevel(wants, budgetBytes);
  return wants.map((wanted) => (level !== null && wanted > level ? level : 0));
}

const wantedBytes = ({ usedBytes, quotaBytes, shareBytes }: MemoryUse): number =>
  shareBytes > 0 && usedBytes >= shareBytes * PRESSED ? Math.max(quotaBytes, usedBytes) : usedBytes;
