import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { nextRunAt, parseSchedule } from '../../infra/local/schedule-expression.ts';
import { startSchedules } from '../../infra/local/schedules.ts';

const next = (expression: string, after: string) => {
  const at = nextRunAt(parseSchedule(expression), Date.parse(after));
  return at === undefined ? undefined : new Date(at).toISOString().slice(0, 16);
};

describe('a schedule expression', () => {
  it.each([
    ['rate(5 minutes)', '2026-01-01T00:00:30Z', '2026-01-01T00:05'],
    ['rate(1 hour)', '2026-01-01T00:00:00Z', '2026-01-01T01:00'],
    ['cron(0 3 * * ? *)', '2026-01-01T03:00:00Z', '2026-01-02T03:00'],
    ['cron(*/15 * * * ? *)', '2026-01-01T00:46:00Z', '2026-01-01T01:00'],
    ['cron(10/20 8-9 * * ? *)', '2026-01-01T08:11:00Z', '2026-01-01T08:30'],
    ['cron(0 0 ? * MON-FRI *)', '2026-01-02T12:00:00Z', '2026-01-05T00:00'],
    ['cron(0 0 ? * 1 *)', '2026-01-01T00:00:00Z', '2026-01-04T00:00'],
    ['cron(0 12 1,15 JAN,JUL ? *)', '2026-01-16T00:00:00Z', '2026-07-01T12:00'],
    ['cron(0 0 29 2 ? *)', '2026-01-01T00:00:00Z', '2028-02-29T00:00'],
    ['cron(0 0 31 2 ? *)', '2026-01-01T00:00:00Z', undefined],
  ])('%s after %s comes at %s', (expression, after, expected) => {
    expect(next(expression, after)).toBe(expected);
  });

  it.each([
    'rate(0 minutes)',
    'rate(5)',
    'often',
    'cron(* * * * ?)',
    'cron(60 * * * ? *)',
    'cron(0 0 L * ? *)',
    'cron(0 0 * * ? 2027)',
  ])('refuses %s', (expression) => {
    expect(() => parseSchedule(expression)).toThrow();
  });

  it('is always a later full minute that fits its fields', () => {
    const fields = fc.record({ minute: fc.nat(59), hour: fc.nat(23), afterMs: fc.nat(4_000_000_000_000) });
    fc.assert(
      fc.property(fields, ({ minute, hour, afterMs }) => {
        const at = new Date(nextRunAt(parseSchedule(`cron(${minute} ${hour} * * ? *)`), afterMs) ?? 0);
        expect(at.getTime()).toBeGreaterThan(afterMs);
        expect(at.getTime() - afterMs).toBeLessThanOrEqual(86_400_000);
        expect([at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()]).toEqual([hour, minute, 0]);
      }),
    );
  });
});

describe('running schedules', () => {
  const schedule = { name: 'often', expression: { everyMs: 5 } };

  it('runs those that are told to at once', async () => {
    const hourly = ['one', 'other'].map((name) => ({ name, expression: { everyMs: 3_600_000 } }));
    const ran: string[] = [];
    const runner = startSchedules({
      schedules: hourly,
      atStart: ({ name }) => name === 'other',
      run: async ({ name }) => void ran.push(name),
      onError: vi.fn(),
    });
    await vi.waitFor(() => expect(ran).toEqual(['other']));
    await runner.stop();
    expect(ran).toEqual(['other']);
  });

  it('runs one now when it is asked to, once and never beside itself, and stops after it', async () => {
    const hourly = { name: 'hourly', expression: { everyMs: 3_600_000 } };
    const ends: (() => void)[] = [];
    const runner = startSchedules({
      schedules: [hourly],
      run: () => new Promise<void>((resolve) => void ends.push(resolve)),
      onError: vi.fn(),
    });
    for (const name of ['hourly', 'hourly', 'none']) runner.runNow(name);
    expect(ends).toHaveLength(1);
    ends[0]?.();
    await vi.waitFor(() => {
      runner.runNow('hourly');
      expect(ends).toHaveLength(2);
    });
    let isStopped = false;
    const stopped = runner.stop().then(() => {
      isStopped = true;
    });
    await new Promise(setImmediate);
    expect(isStopped).toBe(false);
    runner.runNow('hourly');
    ends[1]?.();
    await stopped;
    expect(ends).toHaveLength(2);
  });

  it('runs again after a failure, never beside itself, and sends what EventBridge sends', async () => {
    let [runs, active, mostActive] = [0, 0, 0];
    const events: unknown[] = [];
    const onError = vi.fn();
    const runner = startSchedules({
      schedules: [schedule],
      onError,
      run: async (_schedule, event) => {
        events.push(event);
        active++;
        mostActive = Math.max(mostActive, active);
        await new Promise((resolve) => setTimeout(resolve, 12));
        active--;
        if (++runs === 1) throw new Error('first run fails');
      },
    });
    await vi.waitUntil(() => runs >= 3, { timeout: 5000, interval: 2 });
    await runner.stop();
    expect(mostActive).toBe(1);
    expect(active).toBe(0);
    expect(onError).toHaveBeenCalledOnce();
    expect(events[0]).toMatchObject({ source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} });
  });

  it('sends the declared input as the event', async () => {
    let received: unknown;
    const run = async (_schedule: unknown, event: unknown) => {
      received = event;
    };
    const runner = startSchedules({ schedules: [{ ...schedule, input: { kind: 'all' } }], onError: vi.fn(), run });
    await vi.waitUntil(() => received !== undefined, { timeout: 5000, interval: 2 });
    await runner.stop();
    expect(received).toEqual({ kind: 'all' });
  });
});
