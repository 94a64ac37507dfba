/** The tests of flows: each call of each goes wrong in each way, once; the flow run again ends as if nothing had happened. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RunningRedis, startRedis } from '../../../infra/local/redis/start-redis.ts';
import type { App } from '../../../lib/app.ts';
import { AppError, DeadlineError, OutcomeUnknownError, RedisUnavailableError } from '../../../lib/errors.ts';
import { newUlid } from '../../../lib/ids.ts';
import { telemetry } from '../../../lib/metrics/telemetry.ts';
import type { FailpointHook } from '../../../lib/redis/failpoints.ts';
import { testApp } from '../app.ts';
import type { Flow, PreparedFlow } from './flow.ts';

/** Calls whose loss the driver tells as "nothing was changed": reads. */
const READS = [
  'GET',
  'HGET',
  'HGETALL',
  'HMGET',
  'HSCAN',
  'HEXISTS',
  'EXISTS',
  'ZRANGE',
  'ZCOUNT',
  'ZLEXCOUNT',
  'get-cache-entry',
  'get-cache-entries',
  'list-cache-entries',
  'check-key',
  'peek-cache-entries',
  'get-session',
  'list-sessions',
  'peek-sessions',
  'read-tenant',
  'find-due-jobs',
  'read-jobs',
  'read-tenants',
  'read-records',
  'list-tenants',
  'read-usage',
  'read-billing',
  'read-billing-run',
  'ZMSCORE',
  'ZRANGEBYSCORE',
];
const FAULTS = ['not applied', 'applied, reply lost', 'out of time before', 'out of time after'] as const;
type Fault = (typeof FAULTS)[number];

/** A port that fails at its n-th call, once, and otherwise does not. */
function failOnce(n: number, fault: Fault, deadline: AbortController) {
  const failing = { met: false, hook: (() => {}) as FailpointHook };
  const moment = fault === 'not applied' || fault === 'out of time before' ? 'before' : 'after';
  const late = fault.startsWith('out of time');
  let calls = 0;
  failing.hook = ({ name, phase }) => {
    if (phase === 'before') calls++;
    // Of calls made at once the first that ends is the one.
    if (calls <= n || phase !== moment || failing.met) return;
    failing.met = true;
    if (late) deadline.abort();
    if (phase === 'after') throw lostReply(name, late);
    // Out of time before: the driver sees the signal, and says so itself.
    if (!late) throw new RedisUnavailableError('refused');
  };
  return failing;
}

const lostReply = (name: string, late: boolean) => {
  if (!READS.includes(name)) return new OutcomeUnknownError('lost');
  return late ? new DeadlineError('late') : new RedisUnavailableError('lost');
};

/** Runs until it is not told to wait for itself. */
async function runAgain(flow: PreparedFlow): Promise<unknown> {
  const end = performance.now() + 5_000;
  for (;;) {
    try {
      return await flow.run(new AbortController().signal);
    } catch (error) {
      const waiting = error instanceof AppError && error.code === 'idempotency_in_progress';
      if (!waiting || performance.now() > end) throw error;
    }
  }
}

/** Of one test file, which has a Redis of its own. */
export function describeFlows(flows: readonly Flow[]): void {
  let dir: string;
  let redis: RunningRedis;
  let app: App;
  let direct: App;
  let hook: FailpointHook = () => {};

  beforeAll(async () => {
    telemetry.logger.setLogLevel('SILENT');
    dir = await mkdtemp(join(tmpdir(), 'riptide-flows-'));
    redis = await startRedis({ dir, appendonly: false });
  });
  afterAll(async () => {
    await redis.stop();
    await rm(dir, { recursive: true });
  });

  describe.each(flows)('$name [T1 T2 T4 T6 A14]', ({ calls, prepare, settings }) => {
    beforeAll(async () => {
      const own = { REDIS_URL: redis.url, PERSISTENCE_CACHE_KEY_PREFIX: `f-${newUlid(Date.now())}` };
      const env = { ...own, ...(await settings?.()) };
      app = await testApp({ env, failpoint: (call) => hook(call) });
      direct = await testApp({ env });
      // Redis knows every script from here on, so that only the flow's own calls are counted.
      await runAgain(await prepare(app, direct));
    });
    beforeEach(() => {
      hook = () => {};
    });

    it('makes the calls that have cases, and no others', async () => {
      const flow = await prepare(app, direct);
      const made: string[] = [];
      hook = ({ port, name, phase }) =>
        void (phase === 'before' && made.push(port === 'redis' ? name : `${port} ${name}`));
      const result = await flow.run(new AbortController().signal);
      hook = () => {};
      expect(made).toEqual(calls);
      await flow.verify(result);
    });

    const cases = calls.flatMap((call, n) => FAULTS.map((fault) => ({ call, n, fault, nth: n + 1 })));
    it.each(cases)('converges after call $nth, $call: $fault', async ({ n, fault }) => {
      const flow = await prepare(app, direct);
      const deadline = new AbortController();
      const failing = failOnce(n, fault, deadline);
      hook = failing.hook;
      const first = await flow.run(deadline.signal).catch((error: unknown) => error);
      hook = () => {};
      expect(failing.met).toBe(true);
      if (first instanceof Error)
        expect(first).toMatchObject({ status: expect.toSatisfy((s) => s === 503 || s === 504) });
      await flow.verify(await runAgain(flow));
    });
  });
}
