/** What calls about checkpoints and their answers may look like. */
import type { ContractName } from '../http/contracts.ts';
import { type Example, TENANT, WRITTEN_AT } from './example.ts';

const ULID = '01k0xwap5n3t7v1q9s4k8m2r6d';
const ID = `ckpt-${ULID}`;
const JOB_ID = `job-${ULID}`;

const CHECKPOINT = {
  id: ID,
  readable: true,
  type: 'manual',
  description: 'before the release',
  started_at: WRITTEN_AT,
  finished_at: '2026-07-01T09:30:04.212Z',
  took_ms: 4_212,
  base: 'ckpt-01k0xw6h9te3m8q5v2r7c4n1ba',
  cache: true,
  config_version: 7,
  tenants: 212,
  cache_entries: 1_204_551,
  sessions: 22_900,
  bytes: 412_600_312,
  new_bytes: 3_204_118,
  raw_bytes: 1_650_410_900,
};

export const STATE_EXAMPLES = {
  createCheckpoint: {
    body: { description: 'before the release' },
    reply: { job_id: JOB_ID, checkpoint_id: ID },
  },
  listCheckpoints: { query: { limit: '10' }, reply: { items: [CHECKPOINT], next_cursor: null } },
  getCheckpoint: {
    params: { id: ID },
    query: { tenant_id: TENANT },
    reply: {
      ...CHECKPOINT,
      verified: {
        at: '2026-07-01T10:00:09.100Z',
        ok: true,
        objects: 236,
        frames: 512,
        bytes: 412_600_312,
        damaged: 0,
        erased: 0,
        problems: [],
      },
      tenant_items: [
        {
          tenant_id: TENANT,
          as_of: '2026-07-01T09:30:00.907Z',
          cache_entries: 40_112,
          sessions: 310,
          bytes: 9_112_400,
          runs: 3,
        },
      ],
      next_cursor: null,
    },
  },
  restoreCheckpoint: {
    params: { id: ID },
    query: { dry_run: 'true' },
    body: { tenants: [TENANT] },
    reply: { job_id: JOB_ID },
  },
  verifyCheckpoint: { params: { id: ID }, reply: { job_id: JOB_ID } },
} satisfies Partial<Record<ContractName, Example>>;
