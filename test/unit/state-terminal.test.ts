/** What `npm run state` understands, and what it shows. */
import { describe, expect, it } from 'vitest';
import { ageText, bytesText, durationText, tableText } from '../../infra/state/amount-text.ts';
import { checkpointText, listText, verdictText } from '../../infra/state/checkpoint-text.ts';
import { type DiffReport, diffPicture } from '../../infra/state/diff-picture.ts';
import { readOptions } from '../../infra/state/options.ts';
import { barText, progressBar, progressLine } from '../../infra/state/progress-text.ts';
import { restoredText } from '../../infra/state/run-command.ts';
import type { CheckpointListResponse, CheckpointResponse } from '../../lib/checkpoints/http/checkpoint-contract.ts';
import { STATE_EXAMPLES } from '../../lib/docs/state-examples.ts';
import type { JobResponse } from '../../lib/jobs/contract.ts';

const ID = 'ckpt-01k0xwap5n3t7v1q9s4k8m2r6d';
const TENANT = 'tenant-01k0xw6h9te3m8q5v2r7c4n1ba';

describe('the command line [K3]', () => {
  it('says what to do to which checkpoint', () => {
    expect(readOptions(['checkpoint', '--description', 'before', '--no-cache'])).toMatchObject({
      name: 'checkpoint',
      description: 'before',
      cache: false,
    });
    expect(readOptions(['restore', ID, '--tenant', TENANT, '--tenant', TENANT, '--yes'])).toMatchObject({
      name: 'restore',
      id: ID,
      tenants: [TENANT, TENANT],
      isSure: true,
    });
    expect(readOptions(['diff', 'latest', '--session', `${TENANT}/session-x`, '--plain'])).toMatchObject({
      session: { tenant_id: TENANT, session_id: 'session-x' },
      isPlain: true,
      cache: true,
    });
    expect(readOptions(['--help'])).toBeNull();
  });

  it.each([
    [[]],
    [['bake']],
    [['restore']],
    [['restore', 'ckpt-1']],
    [['list', ID]],
    [['show', ID, ID]],
    [['show', ID, '--tenant', 'x']],
    [['show', ID, '--tenant', TENANT, '--tenant', TENANT]],
    [['diff', ID, '--session', TENANT]],
    [['diff', ID, '--tenant', TENANT, '--session', `${TENANT}/s`]],
    [['list', '--limit', '0']],
    [['follow', ID]],
    [['list', '--loud']],
  ])('refuses %j, and says what there is', (args) => {
    expect(() => readOptions(args)).toThrow('npm run state -- COMMAND');
  });
});

describe('amounts', () => {
  it('are short', () => {
    expect([0, 999, 1_000, 1_536, 10_485_760, 412_600_312, 1e13].map(bytesText)).toEqual([
      '0 B',
      '999 B',
      '1.0 KB',
      '1.5 KB',
      '10.0 MB',
      '393 MB',
      '9.1 TB',
    ]);
    expect([420, 12_000, 130_000, 9_000_000].map(durationText)).toEqual(['0.4 s', '12 s', '2 min', '2 h 30 min']);
    const now = Date.parse('2026-07-03T00:00:00Z');
    expect(
      ['2026-07-02T23:59:00Z', '2026-07-02T23:00:00Z', '2026-07-02T12:00:00Z', '2026-06-30T00:00:00Z'].map((at) =>
        ageText(at, now),
      ),
    ).toEqual(['60 s ago', '60 min ago', '12 h ago', '3 d ago']);
  });

  it('stand below each other', () => {
    expect(
      tableText(
        [
          ['a', 'n'],
          ['long', '12'],
        ],
        [1],
      ),
    ).toBe('a      n\nlong  12');
  });
});

const job = (changes: Partial<JobResponse>): JobResponse => ({
  id: 'job-1',
  kind: 'restore',
  tenant_id: null,
  status: 'running',
  progress: { done: 5_242_880, total: 10_485_760, unit: 'bytes' },
  percent: 50,
  eta_seconds: 8,
  attempts: 1,
  created_at: '2026-07-01T09:30:00.000Z',
  updated_at: '2026-07-01T09:30:00.000Z',
  ...changes,
});

describe('how far a job is [K4]', () => {
  it('is a bar of the same width, whatever it says', () => {
    for (let ratio = -0.1; ratio < 1.2; ratio += 0.013) expect([...barText(ratio, 20)]).toHaveLength(20);
    expect([barText(0, 4), barText(0.5, 4), barText(1, 4), barText(0.53125, 4)]).toEqual([
      '    ',
      '██  ',
      '████',
      '██▏ ',
    ]);
  });

  it('tells amount and time left; without a total, what there is', () => {
    expect(progressBar('Verify', job({}), 3_000)).toBe(
      `Verify  ▕${barText(0.5)}▏  50 %  5.0 MB of 10.0 MB  8.0 s left`,
    );
    expect(progressLine('Verify', job({}), 3_000)).toBe('Verify: 50 %, 5.0 MB of 10.0 MB, 8.0 s left');
    const open = { percent: null, eta_seconds: null, progress: { done: 1_200, total: null, unit: 'records' } };
    expect(progressLine('Checkpoint', job(open), 3_000)).toBe('Checkpoint: 1,200 records, 3.0 s');
    expect(progressLine('Checkpoint', job({ ...open, status: 'queued' }), 0)).toBe('Checkpoint: waits to begin, 0.0 s');
  });
});

const report = (changes: Partial<DiffReport> = {}): DiffReport => ({
  checkpoint_id: ID,
  taken_at: '2026-07-01T09:30:00.000Z',
  totals: {
    tenants: 12,
    tenants_would_restore: 11,
    tenants_erased: 1,
    cache_created: 800,
    cache_changed: 400,
    cache_removed: 1,
    cache_same: 90_000,
    session_created: 0,
    session_same: 5,
  },
  tenants: [
    {
      tenant_id: TENANT,
      outcome: 'would_restore',
      cache: { created: 800, changed: 400, removed: 1, same: 90_000 },
      sessions: { created: 0, changed: 0, removed: 0, same: 5 },
    },
  ],
  ...changes,
});

describe('the picture of a diff [K3]', () => {
  it('has a bar for what comes back, changes back and goes, of each kind, and the tenants with most', () => {
    const lines = diffPicture(report()).split('\n');
    expect(lines[0]).toBe(`Back to ${ID}, of 2026-07-01 09:30:00: 12 tenants (1 erased, which stay so)`);
    expect(lines[2]).toBe('Cache entries');
    expect(lines[3]).toBe(`  + ${'█'.repeat(30)}         800  come back`);
    expect(lines[4]).toBe(`  ~ ${'█'.repeat(15)}${' '.repeat(15)}         400  change back`);
    expect(lines[5]).toBe(`  - ▏${' '.repeat(29)}           1  go: written since`);
    expect(lines[6]).toMatch(/^ {2}= +90,000 {2}stay$/);
    expect(lines[9]).toBe(`  + ${' '.repeat(30)}           0  come back`);
    expect(lines.slice(-2)).toEqual([`${TENANT}      800  400  1           0  0  0`, 'and 11 more']);
  });

  it('of nothing to change is a line', () => {
    const same = report({ totals: { tenants: 1, cache_same: 10 }, tenants: [] });
    expect(diffPicture(same)).toContain('1 tenant\n\nNothing would change.');
  });

  it('is followed by what was done, and how to undo it', () => {
    const totals = { tenants: 2, cache: 1_200, sessions: 30, terminated: 4 };
    expect(restoredText(ID, { totals, undo_checkpoint_id: 'ckpt-undo', scope: 'all' }).split('\n')).toEqual([
      `Restored ${ID}: 1,200 cache entries and 30 sessions of 2 tenants.`,
      '4 sessions ended since: they stay so.',
      'To undo it: npm run state -- restore ckpt-undo',
    ]);
    expect(restoredText(ID, { totals: {}, undo_checkpoint_id: null })).not.toContain('undo');
  });
});

describe('checkpoints as text [K1]', () => {
  const now = Date.parse('2026-07-01T09:35:00.000Z');

  it('are a line each; what cannot be read says what to do', () => {
    const { items } = STATE_EXAMPLES.listCheckpoints.reply as CheckpointListResponse;
    const unreadable = { id: 'ckpt-bad', readable: false, problem: 'Bring it back' };
    const lines = listText({ items: [...items, unreadable], next_cursor: null }, now).split('\n');
    expect(lines[1]).toMatch(/manual +5 min ago +212 +1,204,551 +22,900 +393 MB +3\.1 MB +before the release$/);
    expect(lines[2]).toMatch(/^ckpt-bad +UNREADABLE +Bring it back$/);
    expect(listText({ items: [], next_cursor: null }, now)).toBe('There are no checkpoints.');
  });

  it('say all that is known of one', () => {
    const text = checkpointText(STATE_EXAMPLES.getCheckpoint.reply as CheckpointResponse, now);
    expect(text).toContain('1,204,551 cache entries and 22,900 sessions of 212 tenants');
    expect(text).toContain('sound');
    expect(text).toContain(TENANT);
  });

  it('say what verifying has found', () => {
    const counts = { at: '2026-07-01T09:30:00.000Z', objects: 3, frames: 4, bytes: 1_000, erased: 0 };
    expect(verdictText({ ...counts, ok: true, damaged: 0, problems: [] })).toBe('SOUND: 3 objects, 4 frames, 1.0 KB');
    const problems = [{ tenant_id: TENANT, object: 'o', reason: 'is missing' }];
    const text = verdictText({ ...counts, ok: false, damaged: 2, erased: 1, problems });
    expect(text.split('\n')).toEqual([
      'DAMAGED: 2 of 3 objects, 4 frames, 1.0 KB',
      `${TENANT}  o  is missing`,
      'and 1 more',
      'Erased since, and left out: 1 tenant.',
    ]);
  });
});
