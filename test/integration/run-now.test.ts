/** A run that is started at once, over the real client of Lambda and a real connection. */
import { describe, expect, it } from 'vitest';
import { hostRuns } from '../../lib/jobs/host-runs.ts';
import { createRunNow, type RunNowDeps } from '../../lib/jobs/run-now.ts';
import { lambdaEndpoint } from '../support/lambda-endpoint.ts';

const NAME = 'riptide-test-schedulesSpillSessions';
const KEYS = { accessKeyId: 'lambda-key', secretAccessKey: 'lambda-secret' };
const CREDENTIALS = { ...KEYS, region: 'eu-west-1' };
const STARTED = 'riptide_run_now_started_total';
const FAILED = 'riptide_run_now_failed_total';

/** Of an instance whose clock stands still; `wait` moves it on. */
function instance(deps: Partial<RunNowDeps>) {
  const counted: string[] = [];
  const logged: unknown[] = [];
  let ms = 0;
  const runNow = createRunNow({
    hostRuns: { find: () => undefined },
    lambda: null,
    telemetry: {
      logger: { error: (...line: readonly unknown[]) => void logged.push(line) },
      count: (name) => void counted.push(name),
    },
    nowMs: () => ms,
    ...deps,
  });
  const wait = (more: number) => {
    ms += more;
  };
  return { runNow, counted, logged, wait };
}

const onLambda = (endpoint: string, credentials = KEYS, functionName = NAME) =>
  instance({ lambda: { functionName, client: { endpoint, region: CREDENTIALS.region, credentials } } });

describe('a run started at once on Lambda [P2]', () => {
  it('is one asynchronous call of the function, signed, whatever asks for it meanwhile', async () => {
    const lambda = await lambdaEndpoint(CREDENTIALS, NAME);
    const { runNow, counted, wait } = onLambda(lambda.url);
    await Promise.all(Array.from({ length: 50 }, () => runNow.spillSessions()));
    expect(lambda.invocations).toEqual([{ functionName: NAME, type: 'Event', body: '' }]);
    wait(4_999);
    await runNow.spillSessions();
    expect(lambda.requests()).toBe(1);
    wait(1);
    await runNow.spillSessions();
    expect(lambda.invocations).toHaveLength(2);
    expect(counted).toEqual([STARTED, STARTED]);
  });

  it('is tried a second time when Lambda is busy or the connection has died', async () => {
    const lambda = await lambdaEndpoint(CREDENTIALS, NAME);
    const { runNow, counted, wait } = onLambda(lambda.url);
    for (const answer of [500, 429, 'cut'] as const) {
      lambda.answer(answer);
      await runNow.spillSessions();
      wait(5_000);
    }
    expect(lambda.invocations).toHaveLength(3);
    expect(lambda.requests()).toBe(6);
    expect(counted).toEqual([STARTED, STARTED, STARTED]);
  });

  it.each([
    { why: 'the key is another one', credentials: { ...KEYS, secretAccessKey: 'wrong' }, status: 403 },
    { why: 'the key is not known', credentials: { ...KEYS, accessKeyId: 'nobody' }, status: 403 },
    { why: 'there is no such function', functionName: 'none', status: 404 },
    { why: 'Lambda fails twice', answers: [500, 500] as const, status: 500 },
    { why: 'Lambda does not answer', answers: ['hang', 'hang'] as const, status: undefined },
    { why: 'every connection is cut', answers: ['cut', 'cut'] as const, status: undefined },
  ])(
    'is told in the log when $why, and never to who asked',
    async ({ credentials, functionName, answers = [], status }) => {
      const lambda = await lambdaEndpoint(CREDENTIALS, NAME);
      const { runNow, counted, logged, wait } = onLambda(lambda.url, credentials, functionName);
      lambda.answer(...answers);
      await runNow.spillSessions();
      expect(counted).toEqual([FAILED]);
      expect(lambda.invocations).toEqual([]);
      expect(logged).toMatchObject([['A run could not be started at once', { run: 'spill-sessions', status }]]);
      expect(JSON.stringify(logged)).not.toMatch(/secret|AWS4|Signature=|refused by the test/);
      // Not before its time again.
      const requests = lambda.requests();
      wait(4_999);
      await runNow.spillSessions();
      expect(lambda.requests()).toBe(requests);
    },
  );

  it('is told in the log when nobody listens', async () => {
    const { runNow, counted, logged } = onLambda('http://127.0.0.1:1');
    await runNow.spillSessions();
    expect(counted).toEqual([FAILED]);
    expect(logged).toMatchObject([[expect.any(String), { reason: 'ECONNREFUSED' }]]);
  });
});

describe('a run started at once in a long-running host [P2]', () => {
  it('is the host’s, not Lambda’s, and nobody waits for it', async () => {
    let started = 0;
    const takeBack = hostRuns.register('spill-sessions', () => void started++);
    const lambda = await lambdaEndpoint(CREDENTIALS, NAME);
    const { runNow, counted, wait } = instance({
      hostRuns,
      lambda: { functionName: NAME, client: { endpoint: lambda.url, region: 'eu-west-1', credentials: KEYS } },
    });
    await runNow.spillSessions();
    await runNow.spillSessions();
    expect({ started, counted }).toEqual({ started: 1, counted: [STARTED] });
    takeBack();
    wait(5_000);
    await runNow.spillSessions();
    expect(started).toBe(1);
    expect(lambda.invocations).toHaveLength(1);
  });

  it('that the host cannot start is told in the log', async () => {
    const refuse = () => {
      throw new Error('stopped');
    };
    const { runNow, counted } = instance({ hostRuns: { find: () => refuse } });
    await runNow.spillSessions();
    expect(counted).toEqual([FAILED]);
  });

  it('is left to the schedule where there is neither a host nor a function', async () => {
    const { runNow, counted, logged } = instance({});
    await runNow.spillSessions();
    expect({ counted, logged }).toEqual({ counted: [], logged: [] });
  });
});
