/** Invalidation of a tenant's cache by administration. */
import type { Audit } from '../../audit/audit.ts';
import { newAuditEntry } from '../../audit/entry.ts';
import { OutcomeUnknownError } from '../../errors.ts';
import { unpackLimits } from '../../gate/gate-fields.ts';
import type { TenantId } from '../../ids.ts';
import type { Keys } from '../../keys.ts';
import { invalidateTenantCache } from '../../redis/bindings/cache-invalidation-scripts.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { runScript } from '../../redis/script.ts';
import { type AdminCall, originOf } from '../../tenants/admin-call.ts';
import type { TenantReader } from '../../tenants/tenant-reader.ts';
import { namesOf, readBegun } from './begun-invalidation.ts';
import type { Place } from './entry-walk.ts';
import type { InvalidationOutcome, InvalidationRun } from './invalidation-run.ts';
import type { Selector } from './selector.ts';

export interface InvalidateTenant {
  readonly tenantId: TenantId;
  readonly selector: Selector;
  /** Only counts. */
  readonly dry: boolean;
}

export type TenantInvalidation = ReturnType<typeof createTenantInvalidation>;

export function createTenantInvalidation(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly reader: Pick<TenantReader, 'whyAbsent'>;
  readonly audit: Pick<Audit, 'append'>;
  readonly run: InvalidationRun['run'];
  /** Unix ms. */
  readonly now: () => number;
}) {
  const { redis, keys, reader, audit, run, now } = deps;

  const placeOf = async (id: TenantId, signal: AbortSignal | undefined): Promise<Place> => {
    const limits = await redis.send(['HGET', keys.gate(id), 'h'], { kind: 'read', signal });
    if (typeof limits !== 'string') throw await reader.whyAbsent(id, signal);
    return { id, generation: unpackLimits(limits).generation, signal };
  };

  /** What was asked for: of keys, prefixes and tags no text. */
  const entryOf = ({ tenantId, selector }: InvalidateTenant, call: AdminCall) =>
    newAuditEntry({
      ...(call.ulid === undefined ? {} : { id: call.ulid }),
      action: 'cache.invalidate',
      tenantId,
      ...originOf(call),
      details: {
        by: selector.by,
        ...('namespace' in selector ? { namespace: selector.namespace } : {}),
        ...(selector.by === 'keys' ? { keys: selector.keys.length } : {}),
        ...(selector.by === 'tags' ? { tags: selector.tags.length } : {}),
      },
      now: now(),
    });

  const begin = async (place: Place, { selector, dry }: InvalidateTenant) => {
    const { id, generation, signal } = place;
    const slots = { gate: keys.gate(id), index: keys.index(id, generation), invalidated: keys.invalidated(id) };
    const args = { dry: dry ? 1 : 0, ...namesOf(selector) };
    const ask = () =>
      runScript(redis, invalidateTenantCache, { keys: slots, args, kind: dry ? 'read' : 'write', signal });
    try {
      return readBegun(await ask());
    } catch (error) {
      // Invalidated twice is invalidated.
      if (!(error instanceof OutcomeUnknownError) || signal?.aborted) throw error;
      return readBegun(await ask());
    }
  };

  return {
    /**
     * As Invalidation.invalidate, of any tenant that is not erased; nothing is metered. It is in the audit log before it begins.
     * @throws {NotFoundError} `tenant_not_found`. @throws {TenantErasedError} @throws {ReclaimBehindError}
     */
    async invalidate(request: InvalidateTenant, call: AdminCall = {}): Promise<InvalidationOutcome> {
      const place = await placeOf(request.tenantId, call.signal);
      if (!request.dry) await audit.append(entryOf(request, call), call.signal);
      return run({ ...request, ulid: call.ulid }, async () => ({ begun: await begin(place, request), place }));
    },
  };
}
