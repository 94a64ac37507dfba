/** Runs the schedules of serverless.yml in this process, as EventBridge would: each on its own clock, never beside itself. */
import { randomUUID } from 'node:crypto';
import { nextRunAt, type ScheduleExpression } from './schedule-expression.ts';

export interface Schedule {
  readonly name: string;
  readonly expression: ScheduleExpression;
  /** Sent as the event instead of EventBridge's own. */
  readonly input?: unknown;
}

export interface ScheduleRunner<S extends Schedule> {
  readonly schedules: readonly S[];
  /** Whether its first run comes at once: of what may be behind after a pause. Default: none. */
  readonly atStart?: (schedule: S) => boolean;
  /** Runs the function. It is not called again for this schedule before it has ended. */
  readonly run: (schedule: S, event: unknown) => Promise<unknown>;
  /** A run failed; the next one comes all the same. */
  readonly onError: (schedule: S, error: unknown) => void;
}

/** The longest delay a timer takes. */
const MAX_DELAY_MS = 2_147_483_647;

/**
 * Starts all schedules. The first run of a rate comes one period from now, unless it is to come `atStart`. A time that passes
 * while a run still goes on is left out.
 */
export function startSchedules<S extends Schedule>({ schedules, atStart, run, onError }: ScheduleRunner<S>) {
  const timers = new Map<S, NodeJS.Timeout>();
  const running = new Map<S, Promise<void>>();
  let isStopped = false;

  function arm(schedule: S, dueMs: number | undefined): void {
    if (isStopped || dueMs === undefined) return;
    const delayMs = dueMs - Date.now();
    const wake = delayMs > MAX_DELAY_MS ? () => arm(schedule, dueMs) : () => start(schedule, dueMs);
    timers.set(schedule, setTimeout(wake, Math.min(Math.max(delayMs, 0), MAX_DELAY_MS)));
  }

  function start(schedule: S, dueMs: number): void {
    const done = runOnce(schedule, dueMs).finally(() => {
      running.delete(schedule);
      arm(schedule, nextDue(schedule, dueMs));
    });
    running.set(schedule, done);
  }

  async function runOnce(schedule: S, dueMs: number): Promise<void> {
    try {
      await run(schedule, schedule.input ?? scheduledEvent(schedule.name, dueMs));
    } catch (error) {
      onError(schedule, error);
    }
  }

  for (const schedule of schedules) {
    if (atStart?.(schedule)) start(schedule, Date.now());
    else arm(schedule, nextRunAt(schedule.expression, Date.now()));
  }

  return {
    /** Runs a schedule now, unless it is running; its beat begins anew. Does not wait. Nothing when there is none of that name. */
    runNow(name: string): void {
      const all = schedules.filter((schedule) => schedule.name === name);
      const [first] = all;
      if (isStopped || first === undefined || all.some((schedule) => running.has(schedule))) return;
      clearTimeout(timers.get(first));
      start(first, Date.now());
    },

    /** Starts no more runs; resolves when those under way have ended. */
    async stop(): Promise<void> {
      isStopped = true;
      for (const timer of timers.values()) clearTimeout(timer);
      await Promise.all(running.values());
    },
  };
}

/** Keeps a rate's beat, and leaves out the times that have passed meanwhile. */
function nextDue({ expression }: Schedule, lastDueMs: number): number | undefined {
  const nowMs = Date.now();
  if (!('everyMs' in expression)) return nextRunAt(expression, nowMs);
  const missed = Math.max(0, Math.floor((nowMs - lastDueMs) / expression.everyMs));
  return lastDueMs + (missed + 1) * expression.everyMs;
}

/** What EventBridge sends. */
function scheduledEvent(name: string, dueMs: number): object {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: '000000000000',
    time: `${new Date(dueMs).toISOString().slice(0, 19)}Z`,
    region: 'us-east-1',
    resources: [`arn:aws:events:us-east-1:000000000000:rule/${name}`],
    detail: {},
  };
}
