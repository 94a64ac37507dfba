/** What the terminal says of a job it has started, when it cannot see it any longer. */
import { describe, expect, it } from 'vitest';
import { followJob, LeftAloneError } from '../../infra/state/follow-job.ts';
import { createClient } from '../../lib/client/client.ts';
import { LocalServiceError } from '../../lib/errors.ts';

const JOB = 'job-01k0xwap5n3t7v1q9s4k8m2r6d';
const problem = (status: number, code: string) =>
  new Response(JSON.stringify({ type: 'about:blank', title: 'x', status, detail: 'x', code, request_id: 'x' }), {
    status,
    headers: { 'content-type': 'application/problem+json' },
  });

const follow = (answer: () => Response) =>
  followJob(JOB, 'Restore', {
    client: createClient({ baseUrl: 'http://127.0.0.1:1', key: 'k', retries: 0, fetch: async () => answer() }),
    screen: { isTerminal: false, columns: 80, write: () => {} },
    signal: new AbortController().signal,
  });

describe('a job that is followed [K3]', () => {
  it.each([
    ['is stopped', () => problem(503, 'shutting_down')],
    [
      'cannot be reached',
      () => {
        throw new TypeError('fetch failed');
      },
    ],
  ])('is left to itself where the service %s: it goes on, and is named', async (_, answer) => {
    const failure = await follow(answer).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LeftAloneError);
    expect(String(failure)).toContain(`npm run state -- follow ${JOB}`);
  });

  it('is refused where there is none', async () => {
    await expect(follow(() => problem(404, 'job_not_found'))).rejects.toThrow(LocalServiceError);
  });
});
