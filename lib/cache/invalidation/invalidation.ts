/** A tenant's invalidation of its own cache. */
import type { Caller } from '../../gate/caller.ts';
import type { Gate } from '../../gate/gate.ts';
import type { TenantId } from '../../ids.ts';
import type { Keys } from '../../keys.ts';
import { invalidateCache } from '../../redis/bindings/cache-invalidation-scripts.ts';
import { newOperation } from '../entry-call.ts';
import { namesOf, readBegun } from './begun-invalidation.ts';
import type { Invalidate, InvalidationOutcome, InvalidationRun } from './invalidation-run.ts';
import { allowedBy } from './selector.ts';

export type Invalidation = ReturnType<typeof createInvalidation>;

export function createInvalidation(deps: {
  readonly gate: Gate;
  readonly keys: Keys;
  readonly run: InvalidationRun['run'];
  /** Of this instance, which must not answer with what it has itself invalidated. */
  readonly forgetCopies: (tenantId: TenantId) => void;
}) {
  const { gate, keys, run, forgetCopies } = deps;
  return {
    /**
     * One operation: from one moment on no read sees what the selector selects, nor is a load stored that began before. Of tags, a
     * namespace or all it is done with one round trip; keys, and what matches a prefix, take one more for each 250 entries; more
     * than 5,000 to go through, and a glob that begins with a wildcard, go on as a job.
     * @throws {ReclaimBehindError} nothing was changed. @throws {InvalidRequestError} no pattern. @throws as Gate.run.
     */
    invalidate: (caller: Caller, request: Invalidate): Promise<InvalidationOutcome> =>
      run(request, async () => {
        const { tenantId: id, signal } = caller;
        const { selector, dry } = request;
        const names = namesOf(selector);
        const op = dry ? '' : newOperation();
        const { found, context } = await gate.run(caller, {
          script: invalidateCache,
          scope: 'cache:write',
          kind: dry ? 'read' : 'write',
          allowed: allowedBy(selector),
          keys: ({ generation }) => ({ index: keys.index(id, generation), invalidated: keys.invalidated(id) }),
          args: () => ({ op, ...names }),
        });
        return { begun: readBegun(found), place: { id, generation: context.generation, signal } };
      }).finally(() => (request.dry ? undefined : forgetCopies(caller.tenantId))),
  };
}
