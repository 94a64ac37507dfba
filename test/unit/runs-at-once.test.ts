/** Runs that are asked for in a host that is there all the time. */
import { describe, expect, it, vi } from 'vitest';
import { createRunsAtOnce } from '../../infra/local/runs-at-once.ts';

function held() {
  const ends: (() => void)[] = [];
  const run = () => new Promise<void>((resolve) => void ends.push(resolve));
  return { ends, run };
}

describe('runs at once [K4]', () => {
  it('are four at most, and one more after them however often it is asked for meanwhile', async () => {
    const { ends, run } = held();
    const runs = createRunsAtOnce({ run, onError: vi.fn() });
    for (let i = 0; i < 20; i++) runs.start();
    expect(ends).toHaveLength(4);
    ends[0]?.();
    await vi.waitFor(() => expect(ends).toHaveLength(5));
    ends[1]?.();
    await new Promise(setImmediate);
    expect(ends).toHaveLength(5);
  });

  it('end before a stop does; none begins after', async () => {
    const { ends, run } = held();
    const runs = createRunsAtOnce({ run, onError: vi.fn() });
    for (let i = 0; i < 9; i++) runs.start();
    const stopped = runs.stop();
    for (const end of ends) end();
    await stopped;
    runs.start();
    expect(ends).toHaveLength(4);
  });

  it('that fail are told of, and hold up no other', async () => {
    const onError = vi.fn();
    const runs = createRunsAtOnce({ run: () => Promise.reject(new Error('broken')), onError });
    runs.start();
    runs.start();
    await vi.waitFor(() => expect(onError).toHaveBeenCalledTimes(2));
    await runs.stop();
  });
});
