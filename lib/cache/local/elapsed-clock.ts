/**
 * A clock to measure ages by. It begins as Unix ms and never goes back. It moves on by the wall clock or the monotonic one,
 * whichever moved further: the first may be set back, and the second may stand still while an instance is frozen. An age by it
 * may be too large, never too small.
 */
export function createElapsedClock({
  wallMs = Date.now,
  monotonicMs = () => performance.now(),
}: {
  readonly wallMs?: () => number;
  readonly monotonicMs?: () => number;
} = {}): () => number {
  let last = { wall: wallMs(), monotonic: monotonicMs() };
  let ms = last.wall;
  return () => {
    const now = { wall: wallMs(), monotonic: monotonicMs() };
    ms += Math.max(0, now.wall - last.wall, now.monotonic - last.monotonic);
    last = now;
    return ms;
  };
}
