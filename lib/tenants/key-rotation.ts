/**
 * Rotation of data keys. The wrapped keys are changed in S3 first, then in the tenant's context: ended between the two,
 * the next run takes what S3 has: the context names the keys, and S3 alone has them. Values stay readable throughout,
 * because no version is ever taken away.
 */
import { keyRefs, type TenantKeySet, type TenantKeys } from '../crypto/tenant-keys.ts';
import { TenantStateError } from '../errors.ts';
import { type ContextData, unpackContextData } from '../gate/context-format.ts';
import type { TenantId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import type { Telemetry } from '../metrics/telemetry.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { requireLive } from './lifecycle.ts';
import type { StoredTenant } from './record-format.ts';
import type { ChangeOptions, TenantChanges } from './tenant-change.ts';
import { tenantPages } from './tenant-pages.ts';
import type { CurrentTenant } from './tenant-reader.ts';
import type { Tenants } from './tenants.ts';

export type KeyRotation = ReturnType<typeof createKeyRotation>;

export interface RewrapReport {
  readonly rewrapped: number;
  /** Tenants whose keys could not be wrapped again; the next run tries once more. */
  readonly failed: number;
  /** False: time ran out, or there is no provider to ask. */
  readonly finished: boolean;
}

export function createKeyRotation(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly tenants: Pick<Tenants, 'listIds'>;
  readonly tenantKeys: TenantKeys;
  readonly changes: TenantChanges;
  readonly telemetry: Telemetry;
}) {
  const { redis, keys, tenants, tenantKeys, changes, telemetry } = deps;

  /** Writes the keys S3 has into the context. */
  const adopt = (current: CurrentTenant, set: TenantKeySet, details: { readonly versions: number }) => {
    const { context, stored } = current;
    const next = { ...context, keys: keyRefs(set), data_key: context.data_key === 0 ? 0 : set.data_key };
    if (JSON.stringify(next) === JSON.stringify(context)) return null;
    return { tenant: stored.tenant, action: 'encryption.rotate', details, context: next } as const;
  };

  const rewrap = (id: TenantId, currentKeyId: string, signal?: AbortSignal) =>
    changes.change(id, { signal }, async (current) => {
      const set = await tenantKeys.rewrap(id, currentKeyId, signal);
      return adopt(current, set, { versions: set.keys.length });
    });

  /** Those of a page with a key under another master key than today's. One round trip. */
  const findDue = async (page: readonly TenantId[], currentKeyId: string, signal?: AbortSignal) => {
    const contexts = await redis.sendAll(
      page.map((id) => ['HGET', keys.gate(id), 'x']),
      { kind: 'read', signal },
    );
    return page.filter((_id, i) => {
      const text = contexts[i];
      return typeof text === 'string' && keysOf(text).some(({ key_id }) => key_id !== currentKeyId);
    });
  };

  return {
    /**
     * Gives the tenant a new data key for what is written from now on, and wraps the older ones again.
     * @throws {TenantStateError} `encryption_off`: the tenant is not encrypted; `data_key_limit_reached`: it has 100 of
     * them; or it is deleted.
     * @throws as TenantChanges.change and TenantKeys.rotate.
     */
    rotate: (id: TenantId, options: ChangeOptions): Promise<StoredTenant> =>
      changes.change(id, options, async (current, nowMs) => {
        requireLive(current.stored.tenant, nowMs);
        const { data_key } = current.context;
        if (data_key === 0)
          throw new TenantStateError('encryption_off', 'This tenant is not encrypted; turn it on first');
        const set = await tenantKeys.rotate(id, data_key, options.signal);
        if (set.data_key === data_key)
          throw new TenantStateError('data_key_limit_reached', 'This tenant has as many data keys as it may');
        return adopt(current, set, { versions: set.keys.length });
      }),

    /** After the master key was changed: wraps every tenant's keys again. Requests go on meanwhile. */
    async rewrapDue(signal?: AbortSignal): Promise<RewrapReport> {
      const currentKeyId = await tenantKeys.currentKeyId(signal);
      if (currentKeyId === null) return { rewrapped: 0, failed: 0, finished: false };
      const report = { rewrapped: 0, failed: 0 };
      for await (const page of tenantPages(tenants, signal)) {
        for (const id of await findDue(page, currentKeyId, signal)) {
          if (signal?.aborted) break;
          await rewrap(id, currentKeyId, signal).then(
            () => report.rewrapped++,
            (error: unknown) => {
              telemetry.logger.error('The data keys of a tenant could not be wrapped again', { tenant_id: id, error });
              report.failed++;
            },
          );
        }
      }
      return { ...report, finished: !signal?.aborted };
    },
  };
}

/** Damaged contexts are left alone: clean-up tells of them. */
function keysOf(text: string): ContextData['keys'] {
  try {
    return unpackContextData(text).keys;
  } catch {
    return [];
  }
}
