import { describe, expect, it } from 'vitest';
import { runSteps } from '../../lib/jobs/steps.ts';

const signal = new AbortController().signal;
const quiet = { logger: { error: () => {} } } as unknown as Parameters<typeof runSteps>[2];

describe('steps of a schedule', () => {
  it('report each its own', async () => {
    const report = await runSteps({ a: async () => ({ n: 1 }), b: async () => ({ n: 2, done: true }) }, signal, quiet);
    expect(report).toEqual({ a_n: 1, b_n: 2, b_done: true });
  });

  it('run whether or not the one before went well, and then say that one failed', async () => {
    const ran: string[] = [];
    const failing = async () => {
      throw new TypeError('no');
    };
    const run = runSteps({ a: failing, b: async () => ({ ran: ran.push('b') }) }, signal, quiet);
    await expect(run).rejects.toMatchObject({ errors: [{ message: 'no' }] });
    expect(ran).toEqual(['b']);
  });
});
