/** The job that goes through a namespace to invalidate the keys that match, or to count them. */
import { unpackLimits } from '../../gate/gate-fields.ts';
import type { TenantId } from '../../ids.ts';
import type { Job, JobRunner, Json, JsonFields, StepOutcome } from '../../jobs/job.ts';
import type { Keys } from '../../keys.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { countReply } from './begun-invalidation.ts';
import { createEntryWalk } from './entry-walk.ts';
import { WALK_BEGIN, type WalkParams, type WalkState, walkOn } from './walked-invalidation.ts';

export const INVALIDATE_CACHE = 'invalidate-cache';

/** A step ends after so long: what a kill loses is done again. */
const STEP_MS = 1_000;

export function createInvalidateRunner(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  /** Unix ms: only bounds a step. */
  readonly now: () => number;
}): JobRunner {
  const { redis, keys, now } = deps;
  const walk = createEntryWalk(deps);

  /** Null: the tenant is gone. */
  const generationOf = async (id: TenantId, signal: AbortSignal) => {
    const limits = await redis.send(['HGET', keys.gate(id), 'h'], { kind: 'read', signal });
    return typeof limits === 'string' ? unpackLimits(limits).generation : null;
  };

  return {
    kind: INVALIDATE_CACHE,

    async step(job: Job, signal: AbortSignal): Promise<StepOutcome> {
      const params = job.params as unknown as WalkParams;
      const id = job.tenantId as TenantId;
      const generation = await generationOf(id, signal);
      let state = startOf(job);
      let ended = generation === null;
      for (const until = now() + STEP_MS; !ended && generation !== null; ) {
        ({ state, ended } = await walkOn(walk, { id, generation, signal }, params, state));
        if (now() >= until) break;
      }
      const progress = { done: state.examined, total: Math.max(params.total, state.examined), unit: 'entries' };
      const cursor: Json = { ...state };
      if (!ended) return { cursor, progress };
      const result = countReply(params.dry, state.found, state.exact) as unknown as JsonFields;
      return { cursor, progress: { ...progress, total: state.examined }, done: result };
    },
  };
}

/** A step that is run again finds less than it removed before: what it counts is not exact any more. */
function startOf({ cursor, attempts, params }: Job): WalkState {
  const state = cursor === null ? WALK_BEGIN : (cursor as unknown as WalkState);
  const again = attempts > 1 && !(params as unknown as WalkParams).dry;
  return again ? { ...state, exact: false } : state;
}
