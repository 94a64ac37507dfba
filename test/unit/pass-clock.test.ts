/** When passes come within one run of the schedule. */
import { describe, expect, it } from 'vitest';
import { isByClock, runPasses } from '../../lib/sessions/spillover/pass/pass-clock.ts';
import type { SpillReport } from '../../lib/sessions/spillover/pass/spill-pass.ts';
import { sampleEvent } from '../support/sample-event.ts';

const REPORT: SpillReport = {
  ...{ tenants: 2, unreadable: 0, hotBytesBefore: 90, hotBytes: 80, thresholdBytes: 80, budgetBytes: 100 },
  ...{ spilled: 1, freedBytes: 10, passedOver: 0, failed: 0, lowered: 0, restored: 0 },
  ...{ storeFailed: false, busy: false, finished: true },
};

/** Passes that report so, one after the other, the last one again and again. */
const passes = (...reports: Partial<SpillReport>[]) => {
  let made = 0;
  return async () => ({ ...REPORT, ...(reports[Math.min(made++, reports.length - 1)] ?? {}) });
};
const always = new AbortController().signal;

describe('a run of the schedule [P2]', () => {
  it('makes a pass each interval, the first at once', async () => {
    const run = passes({});
    const report = await runPasses({ run, intervalMs: 20, forMs: 60, signal: always });
    expect(report).toMatchObject({
      passes: 3,
      spilled: 3,
      freedBytes: 30,
      peakRatio: 0.9,
      hotBytes: 80,
      finished: true,
    });
    expect(await runPasses({ run, intervalMs: 60_000, forMs: 60_000, signal: always })).toMatchObject({ passes: 1 });
  });

  it('makes others at once while it is above the threshold and gets on, a few at most', async () => {
    const above = { hotBytes: 85 };
    const once = (run: () => Promise<SpillReport>) => runPasses({ run, intervalMs: 1, forMs: 0, signal: always });
    expect(await once(passes(above, above, {}))).toMatchObject({ passes: 3 });
    expect(await once(passes(above))).toMatchObject({ passes: 5 });
    expect(await once(passes({ ...above, spilled: 0 }))).toMatchObject({ passes: 1 });
    expect(await once(passes({ ...above, storeFailed: true }))).toMatchObject({ passes: 1, storeFailed: true });
    expect(await once(passes({ busy: true, finished: false }))).toMatchObject({ passes: 1, busy: 1, finished: false });
  });

  it('ends its pause when it is told to stop', async () => {
    const stop = new AbortController();
    const run = async () => {
      setImmediate(() => stop.abort());
      return REPORT;
    };
    const report = await runPasses({ run, intervalMs: 3_600_000, forMs: 7_200_000, signal: stop.signal });
    expect(report).toMatchObject({ passes: 1 });
  });

  it('is one by the clock when EventBridge has sent it', () => {
    expect(isByClock(sampleEvent('schedules/spill-sessions'))).toBe(true);
    for (const event of [{}, null, undefined, 'aws.events', { source: 'me' }]) expect(isByClock(event)).toBe(false);
  });
});
