/** It took longer. */
export const LATE = Symbol('late');

/** A timer of more fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What the work gives, or LATE after so many ms; the work goes on. Infinity: for as long as it takes. */
export async function within<T>(work: Promise<T>, ms: number): Promise<T | typeof LATE> {
  if (ms === Number.POSITIVE_INFINITY) return work;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(() => resolve(LATE), Math.min(Math.max(0, ms), LONGEST_TIMER_MS));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
