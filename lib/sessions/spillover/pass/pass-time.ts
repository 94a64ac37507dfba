/** How long a pass goes on: until it is told to stop, or has taken as long as one may. */
export interface PassTime {
  readonly signal: AbortSignal | undefined;
  /** Asked before each step; what has begun ends in order. */
  isOver(): boolean;
}

/** @param nowMs by a clock that never goes back. */
export function passTime(maxMs: number, nowMs: () => number, signal: AbortSignal | undefined): PassTime {
  const endMs = nowMs() + maxMs;
  return { signal, isOver: () => signal?.aborted === true || nowMs() >= endMs };
}
