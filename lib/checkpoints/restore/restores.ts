/** Restores are jobs: started here, after what can be told at once was checked. */
import { CheckpointForeignError, InvalidRequestError } from '../../errors.ts';
import { newCheckpointId, newJobId, newUlid } from '../../ids.ts';
import type { Jobs } from '../../jobs/jobs.ts';
import type { CheckpointStore } from '../checkpoint-store.ts';
import type { Turn } from '../turn.ts';
import { RESTORE_JOB } from './restore-job.ts';
import { type RestoreParams, type RestoreScope, requireScope } from './restore-scope.ts';

export interface StartRestore {
  readonly checkpointId: string;
  readonly scope: RestoreScope;
  readonly dryRun: boolean;
  /** `revive`: of tenants that Redis has lost, sessions come back as well, also those ended since the checkpoint. */
  readonly sessions: 'known' | 'revive';
  /** Whether entries of the cache come back; else the cache is empty afterwards. */
  readonly cache: boolean;
  readonly opId?: string | undefined;
  readonly inlineMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export type Restores = ReturnType<typeof createRestores>;

export function createRestores(deps: {
  readonly store: CheckpointStore;
  readonly jobs: Pick<Jobs, 'start'>;
  readonly turn: Turn;
  /** Unix ms. */
  readonly now: () => number;
}) {
  const { store, jobs, turn, now } = deps;

  return {
    /**
     * @throws {NotFoundError} `checkpoint_not_found`, or `tenant_not_found` in it. @throws {CorruptValueError | CheckpointFormatError} its
     * manifest cannot be used. @throws {CheckpointForeignError} another deployment made it. @throws {CheckpointRunningError}
     */
    async start({ checkpointId, scope, dryRun, sessions, cache, opId, inlineMs, signal }: StartRestore) {
      const manifest = await store.getManifest(checkpointId, signal);
      if (manifest.header.deployment !== (await store.deployment(signal))) throw new CheckpointForeignError();
      requireScope(manifest, scope);
      if (scope.kind === 'session' && sessions === 'revive')
        throw new InvalidRequestError('One session is restored of a tenant that is there', {
          issues: [{ field: 'body.sessions', message: 'must not be given with one session' }],
        });
      const ulid = opId ?? newUlid(now());
      const params: RestoreParams = {
        checkpoint: checkpointId,
        scope,
        dry_run: dryRun,
        sessions,
        cache: cache && manifest.header.cache,
        safety: newCheckpointId(newUlid(now())),
        late: newCheckpointId(newUlid(now() + 1)),
      };
      const job = {
        kind: RESTORE_JOB,
        tenantId: null,
        params: { ...params, scope: { ...params.scope } },
        unit: 'records',
        opId: ulid,
        ...(inlineMs === undefined ? {} : { inlineMs }),
        signal,
      };
      return turn.takeFor(newJobId(ulid), () => jobs.start(job), signal);
    },
  };
}
