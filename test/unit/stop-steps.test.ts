/** The steps of a stop, and what is told of them. */
import { describe, expect, it, vi } from 'vitest';
import { createBackground } from '../../lib/shutdown/background.ts';
import { describeShutdown, isClean, type ShutdownReport } from '../../lib/shutdown/shutdown-report.ts';
import { runStopSteps, type StopStep, TIMED_OUT } from '../../lib/shutdown/stop-steps.ts';

const nowMs = () => performance.now();
const never = () => new Promise<never>(() => {});
const step = (name: string, run: StopStep['run'], more: Partial<StopStep> = {}): StopStep => ({
  name,
  timeoutMs: null,
  run,
  ...more,
});

const outcomes = async (steps: readonly StopStep[], wholeMs: number, onError = vi.fn()) =>
  (await runStopSteps(steps, { endMs: nowMs() + wholeMs, nowMs, onError })).map(({ name, outcome }) => [name, outcome]);

describe('the steps of a stop [K7]', () => {
  it('come one after the other', async () => {
    const order: string[] = [];
    const note = (name: string) =>
      step(name, async () => {
        order.push(`${name} begins`);
        await new Promise(setImmediate);
        order.push(`${name} ends`);
      });
    expect(await outcomes([note('one'), note('two')], 10_000)).toEqual([
      ['one', 'done'],
      ['two', 'done'],
    ]);
    expect(order).toEqual(['one begins', 'one ends', 'two begins', 'two ends']);
  });

  it('go on after one that fails, and after one that hangs, which is told to end', async () => {
    const onError = vi.fn();
    const told: boolean[] = [];
    const hang = (signal: AbortSignal) => {
      signal.addEventListener('abort', () => told.push(true));
      return never();
    };
    const fail = async () => {
      throw new Error('broken');
    };
    const steps = [step('fails', fail), step('hangs', hang, { timeoutMs: 10 }), step('ends', async () => {})];
    expect(await outcomes(steps, 10_000, onError)).toEqual([
      ['fails', 'failed'],
      ['hangs', 'timed_out'],
      ['ends', 'done'],
    ]);
    expect(onError.mock.calls).toMatchObject([['fails', { message: 'broken' }]]);
    expect(told).toEqual([true]);
  });

  it('have the whole time together: those that come too late are skipped, but not what closes something', async () => {
    const steps = [
      step('hangs', never),
      step('late', async () => {}),
      step('closes', async () => {}, { isLast: true }),
      step('closes, and hangs', never, { isLast: true, timeoutMs: 10 }),
    ];
    expect(await outcomes(steps, 20)).toEqual([
      ['hangs', 'timed_out'],
      ['late', 'skipped'],
      ['closes', 'done'],
      ['closes, and hangs', 'timed_out'],
    ]);
  });

  it('may say themselves that not all was done', async () => {
    expect(await outcomes([step('cuts', async () => TIMED_OUT)], 10_000)).toEqual([['cuts', 'timed_out']]);
  });
});

describe('the report of a stop [K7]', () => {
  const report = (more: Partial<ShutdownReport>): ShutdownReport => ({
    took_ms: 412,
    requests_finished: 50,
    requests_cut: 0,
    jobs_handed_over: 1,
    steps: [{ name: 'requests', outcome: 'done', took_ms: 400 }],
    ...more,
  });

  it('is clean when all ended, and names what was left', () => {
    expect(isClean(report({}))).toBe(true);
    expect(describeShutdown(report({}))).toBe('50 requests finished, 0 cut, 1 jobs handed over in 412 ms');
    const steps = [
      { name: 'requests', outcome: 'timed_out', took_ms: 400 },
      { name: 'telemetry', outcome: 'skipped', took_ms: 0 },
    ] as const;
    const dirty = report({ requests_cut: 2, steps });
    expect(isClean(dirty)).toBe(false);
    expect(isClean(report({ steps }))).toBe(false);
    expect(describeShutdown(dirty)).toMatch(/2 cut.*; left: requests timed_out, telemetry skipped$/);
  });
});

describe('work in the background [K7]', () => {
  it('is waited for, what it starts meanwhile included, whatever comes of it', async () => {
    const background = createBackground();
    const ended: string[] = [];
    const work = async (name: string, then?: () => void) => {
      await new Promise(setImmediate);
      then?.();
      ended.push(name);
    };
    background.track(work('first', () => background.track(work('second'))));
    background.track(Promise.reject(new Error('nobody waits for it')));
    await background.settled();
    expect(ended).toEqual(['first', 'second']);
    await background.settled();
  });
});
