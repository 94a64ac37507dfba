import { scheduler } from 'node:timers/promises';

const POLL_EVERY_MS = 5;

/** Asks until it holds. @throws when it does not within `deadlineMs`. */
export async function pollUntil(holds: () => Promise<boolean>, deadlineMs = 10_000): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`It did not come to hold within ${deadlineMs} ms`);
    await scheduler.wait(POLL_EVERY_MS);
  }
}
