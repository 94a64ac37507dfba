/** Jobs that were stored stay readable, and are written today as they were. */
import { describe, expect, it } from 'vitest';
import { JobResponse } from '../../lib/jobs/contract.ts';
import { jobResponse, packBody, unpackJob } from '../../lib/jobs/job-format.ts';
import { golden, goldenKeys } from '../support/stored-formats.ts';

const RUNNING = 'job-01kaj4dz5s3zzzzzzzzzzzzzz2';
/** A while after. */
const NOW_MS = 1_795_228_260_000;
/** With the pace it comes on at. */
const PACED = 'job-01kaj4dz5s3zzzzzzzzzzzzzz4';
const FAILED = 'job-01kaj4dz5s3zzzzzzzzzzzzzz3';
const textOf = (id: string) => golden.strings[goldenKeys.job(id)] ?? '';

describe('stored jobs [K4]', () => {
  it('one that runs, with parameters and cursor', () => {
    expect(unpackJob(textOf(RUNNING))).toEqual({
      id: RUNNING,
      kind: 'warm-cache',
      tenantId: golden.tenant.id,
      params: { namespace: 'ž', keys: ['a\n', '{b}'] },
      cursor: ['a\n', Number.MAX_SAFE_INTEGER],
      progress: { done: 1, total: null, unit: 'entries' },
      status: 'running',
      fence: 3,
      attempts: 1,
      startedAtMs: 1_795_228_100_001,
      updatedAtMs: 1_795_228_200_123,
      endedAtMs: null,
    });
  });

  it('one that has failed, of the deployment', () => {
    const failed = unpackJob(textOf(FAILED));
    expect(failed).toMatchObject({
      tenantId: null,
      endedAtMs: 1_795_228_200_123,
      problem: { code: 'store_unavailable' },
    });
    expect(jobResponse(failed, NOW_MS)).toMatchObject({ tenant_id: null, status: 'failed' });
  });

  it('one whose pace is known', () => {
    const paced = unpackJob(textOf(PACED));
    expect(paced.pace).toEqual({ done: 40, unit: 'entries', atMs: 1_795_228_200_450, unitMs: 2_511.235 });
    expect(jobResponse(paced, NOW_MS)).toMatchObject({
      percent: 57,
      eta_seconds: 16,
      heartbeat_at: '2026-11-21T02:30:00.456Z',
    });
  });

  it.each([RUNNING, FAILED, PACED])('%s is shown by its schema and written as it was', (id) => {
    const job = unpackJob(textOf(id));
    expect(JobResponse.strict().parse(jobResponse(job, NOW_MS))).toEqual(jobResponse(job, NOW_MS));
    expect(packBody(job)).toBe(textOf(id).slice(textOf(id).indexOf('\n') + 1));
  });

  it('are listed where they are looked for', () => {
    const members = golden.sortedSets[goldenKeys.jobIndex()] ?? [];
    for (const id of [RUNNING, FAILED, PACED]) {
      const { tenantId, status } = unpackJob(textOf(id));
      const ofTenant = tenantId === null ? [] : [`t\0${tenantId}\0${id}`, `b\0${tenantId}\0${status}\0${id}`];
      const expected = [`a\0${id}`, `s\0${status}\0${id}`, ...ofTenant];
      expect(members.filter((member) => member.endsWith(id)).sort()).toEqual(expected.sort());
    }
  });

  it('what is none is told apart', () => {
    expect(() => unpackJob('j2,running')).toThrow(RangeError);
  });
});
