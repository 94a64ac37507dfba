/** Waiting for something another process does. */
import { setTimeout as delay } from 'node:timers/promises';

/** Asks every 10 ms until `done` holds or `deadlineMs` passes. @returns whether it came to hold. */
export async function pollUntil(done: () => Promise<boolean> | boolean, deadlineMs: number): Promise<boolean> {
  const end = performance.now() + deadlineMs;
  while (!(await done())) {
    if (performance.now() > end) return false;
    await delay(10);
  }
  return true;
}
