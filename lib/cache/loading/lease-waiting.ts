/** How long to wait before asking again whether somebody else's load has ended. Pure. */

const FIRST_MS = 10;
const GROWTH = 1.6;
const LONGEST_MS = 250;
/** Beyond the end of a lease: then it is free. */
const AFTER_LEASE_MS = 2;

/**
 * Grows from 10 to 250 ms, by half at random so that instances do not ask together; never past the end of the lease or of the
 * wait.
 * @param random 0 to 1.
 */
export function pollDelayMs(
  round: number,
  {
    leaseLeftMs,
    waitLeftMs,
    random,
  }: { readonly leaseLeftMs: number; readonly waitLeftMs: number; readonly random: number },
): number {
  const whole = Math.min(LONGEST_MS, FIRST_MS * GROWTH ** round);
  const delayMs = whole * (0.5 + random / 2);
  return Math.max(1, Math.min(delayMs, leaseLeftMs + AFTER_LEASE_MS, waitLeftMs));
}
