/** How often the schedule of checkpoints asks within one run. */
import { describe, expect, it } from 'vitest';
import { createCheckpointSchedule } from '../../lib/checkpoints/checkpoint-schedule.ts';

/** Ends when it was asked so often. */
function schedule(intervalMs: number, askedAtMost = 3) {
  const leaving = new AbortController();
  let asked = 0;
  const made = createCheckpointSchedule({
    checkpoints: {
      startDue: async () => {
        asked++;
        if (asked === askedAtMost) leaving.abort();
        return { started: 1 };
      },
    },
    store: { ids: async () => [], headers: async () => [] },
    config: { checkpointIntervalMs: intervalMs },
    telemetry: { count: () => {} },
    now: Date.now,
  });
  return { run: (byClock: boolean) => made.run(byClock, leaving.signal) };
}

describe('a run of the schedule [K2]', () => {
  it('asks once where a slot takes a minute or more, or where the clock has not called', async () => {
    expect(await schedule(60_000).run(true)).toMatchObject({ started: 1 });
    expect(await schedule(20).run(false)).toMatchObject({ started: 1 });
  });

  it('asks for each slot of a minute where there are several, until it is to end', async () => {
    expect(await schedule(20).run(true)).toEqual({ started: 3, newestAgeSeconds: -1 });
  });
});
