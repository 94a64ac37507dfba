/** What administration asks of checkpoints: each request is logged before it is begun. */
import type { Audit } from '../audit/audit.ts';
import { type AuditAction, type AuditDetails, newAuditEntry } from '../audit/entry.ts';
import { defined } from '../defined.ts';
import { NotFoundError } from '../errors.ts';
import { newUlid } from '../ids.ts';
import type { Job } from '../jobs/job.ts';
import type { Jobs } from '../jobs/jobs.ts';
import { type AdminCall, originOf } from '../tenants/admin-call.ts';
import { checkpointOf } from './checkpoint-job.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { CheckpointVerdict } from './format/verdict.ts';
import type { CreateCheckpointRequest } from './http/checkpoint-contract.ts';
import type { RestoreRequest } from './http/restore-contract.ts';
import type { RestoreScope } from './restore/restore-scope.ts';
import type { Restores } from './restore/restores.ts';
import { VERIFY_JOB, type VerifyParams } from './verify-job.ts';

export type StateAdmin = ReturnType<typeof createStateAdmin>;

export function createStateAdmin(deps: {
  readonly checkpoints: Pick<Checkpoints, 'start'>;
  readonly restores: Pick<Restores, 'start'>;
  readonly store: Pick<CheckpointStore, 'exists' | 'findVerdict'>;
  readonly jobs: Pick<Jobs, 'start'>;
  readonly audit: Pick<Audit, 'append'>;
  /** Unix ms. */
  readonly now: () => number;
}) {
  const { checkpoints, restores, store, jobs, audit, now } = deps;

  const log = (action: AuditAction, id: string, details: AuditDetails, call: AdminCall) =>
    audit.append(newAuditEntry({ action, tenantId: null, ...originOf(call), details, now: now(), id }), call.signal);

  return {
    /** @returns the job, and the checkpoint it makes. @throws {CheckpointRunningError | JobLimitError} */
    async create({ description, cache }: CreateCheckpointRequest, call: AdminCall) {
      const opId = call.ulid ?? newUlid(now());
      await log('checkpoint.create', opId, { ...defined({ cache }) }, call);
      const job = await checkpoints.start({ type: 'manual', description, cache, opId, signal: call.signal });
      return { job, checkpointId: checkpointOf(job) };
    },

    /** @throws {NotFoundError} `checkpoint_not_found`. @throws {JobLimitError} */
    async verify(checkpointId: string, { ulid, signal }: AdminCall): Promise<Job> {
      if (!(await store.exists(checkpointId, signal)))
        throw new NotFoundError('checkpoint_not_found', 'No such checkpoint');
      const params: VerifyParams = { checkpoint_id: checkpointId };
      const work = { kind: VERIFY_JOB, tenantId: null, params: { ...params }, unit: 'bytes' };
      return jobs.start({ ...work, ...(ulid === undefined ? {} : { opId: ulid }), signal });
    },

    /** A dry run is not logged: it changes nothing. @throws as `Restores.start` does. */
    async restore(checkpointId: string, { dryRun, ...request }: RestoreRequest & { dryRun: boolean }, call: AdminCall) {
      const scope = scopeOf(request);
      const { sessions, cache = true } = request;
      const opId = call.ulid ?? newUlid(now());
      if (!dryRun) await log('checkpoint.restore', opId, detailsOf(checkpointId, scope, { sessions, cache }), call);
      return restores.start({ checkpointId, scope, dryRun, sessions, cache, opId, signal: call.signal });
    },

    /** What was found when all of it was read last; null: it was not. */
    verdict: (checkpointId: string, signal?: AbortSignal): Promise<CheckpointVerdict | null> =>
      store.findVerdict(checkpointId, signal),
  };
}

function scopeOf({ tenants, session }: Pick<RestoreRequest, 'tenants' | 'session'>): RestoreScope {
  if (session !== undefined) {
    const [, ulid = ''] = session.session_id.split('-');
    return { kind: 'session', tenant: session.tenant_id, session: ulid };
  }
  return tenants === undefined ? { kind: 'all' } : { kind: 'tenants', tenants };
}

/** Many tenants are counted. */
const detailsOf = (checkpoint: string, scope: RestoreScope, how: AuditDetails): AuditDetails => ({
  checkpoint,
  scope: scope.kind,
  ...(scope.kind === 'tenants' ? { tenants: scope.tenants.slice(0, 10), tenant_count: scope.tenants.length } : {}),
  ...(scope.kind === 'session' ? { tenant: scope.tenant, session: scope.session } : {}),
  ...how,
});
