/** Tenants: created, read, repaired. The record says who a tenant is; the gate hash beside it what it may. */
import type { TenantConfig } from '../config/config.ts';
import { NotFoundError, OutcomeUnknownError, TenantLimitError } from '../errors.ts';
import { NO_COUNTERS, packContext, packLimits } from '../gate/gate-fields.ts';
import { newTenantId, newUlid, parseTenantId, type TenantId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { runScript } from '../redis/script.ts';
import { confirmTenant, createTenant, reserveTenant } from '../redis/scripts.ts';
import type { CreateTenantRequest, TenantResponse } from './contract.ts';

export type Tenants = ReturnType<typeof createTenants>;

/** A reservation this old belongs to a creation that ended half-way. */
const ABANDONED_AFTER_MS = 120_000;

export function createTenants(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly config: TenantConfig;
  /** Unix time, ms: for ids and the record's times, never for limits. */
  readonly now: () => number;
}) {
  const { redis, keys, config, now } = deps;
  const system = () => ({ tenants: keys.tenants(), reservations: keys.tenantReservations() });

  const recordOf = (id: TenantId, request: CreateTenantRequest): TenantResponse => {
    const at = new Date(now()).toISOString();
    const { quotas, isolation_level = config.isolationLevel, ...rest } = request;
    return {
      id,
      ...rest,
      isolation_level,
      quotas: { ...config.defaultQuotas, ...defined(quotas) },
      status: 'active',
      created_at: at,
      updated_at: at,
    };
  };

  const confirm = (id: TenantId, exists: boolean, signal?: AbortSignal) =>
    runScript(redis, confirmTenant, { keys: system(), args: { id, exists: exists ? 1 : 0 }, kind: 'write', signal });

  return {
    /**
     * Creates a tenant in three round trips: a place is reserved, record and gate are written, the place is confirmed.
     * Ended between two steps, it is finished by calling again with the same `ulid`, or by {@link repair}.
     * @param options.ulid identity of this creation; the same again returns the same tenant.
     * @throws {TenantLimitError} the deployment is full; nothing was created.
     * @throws {OutcomeUnknownError} it may be created: a reply was lost, or the last step failed.
     */
    async create(
      request: CreateTenantRequest,
      options: { readonly ulid?: string; readonly signal?: AbortSignal | undefined } = {},
    ): Promise<TenantResponse> {
      const id = newTenantId(options.ulid ?? newUlid(now()));
      const { signal } = options;
      const place = await runScript(redis, reserveTenant, {
        keys: system(),
        args: { id, maxTenants: config.maxTenants },
        kind: 'write',
        signal,
      });
      if (!place.granted) throw tooMany(place.taken, config.maxTenants);

      const record = recordOf(id, request);
      const { json } = await runScript(redis, createTenant, {
        keys: { record: keys.record(id), gate: keys.gate(id) },
        args: {
          json: JSON.stringify(record),
          limits: packLimits({ status: 'active', contextVersion: 1, generation: 1, quotas: record.quotas }),
          counters: NO_COUNTERS,
          context: packContext(1),
        },
        kind: 'write',
        signal,
      });
      // The tenant exists from here on: "nothing was changed" would be untrue.
      await confirm(id, true, signal).catch((cause: unknown) => {
        throw notConfirmed(cause);
      });
      return JSON.parse(json) as TenantResponse;
    },

    /** @throws {NotFoundError} `tenant_not_found`. */
    async get(id: TenantId, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<TenantResponse> {
      const json = await redis.send(['GET', keys.record(id)], { kind: 'read', signal: options.signal });
      if (typeof json !== 'string') throw new NotFoundError('tenant_not_found', 'No such tenant');
      return JSON.parse(json) as TenantResponse;
    },

    /** One page of the tenants' ids, in order of creation. `after`: the last id of the page before. */
    async listIds(page: {
      readonly after?: TenantId | undefined;
      readonly limit: number;
    }): Promise<readonly TenantId[]> {
      const from = page.after === undefined ? '-' : `(${page.after}`;
      const command = ['ZRANGE', keys.tenants(), from, '+', 'BYLEX', 'LIMIT', 0, page.limit] as const;
      return (await redis.send(command, { kind: 'read' })) as readonly TenantId[];
    },

    /** Finishes creations that ended half-way: with a record they are tenants, without one the place is given back. */
    async repair(): Promise<{ readonly finished: number; readonly released: number }> {
      const fields = (await redis.send(['HGETALL', keys.tenantReservations()], { kind: 'read' })) as readonly string[];
      let finished = 0;
      let released = 0;
      for (let i = 0; i + 1 < fields.length; i += 2) {
        const id = parseTenantId(fields[i] as string);
        if (id === null || now() - Number(fields[i + 1]) < ABANDONED_AFTER_MS) continue;
        const exists = (await redis.send(['EXISTS', keys.record(id)], { kind: 'read' })) === 1;
        await confirm(id, exists);
        if (exists) finished++;
        else released++;
      }
      return { finished, released };
    },
  };
}

const notConfirmed = (cause: unknown) =>
  new OutcomeUnknownError('The tenant was made, but not yet counted', { retryAfterMs: 1_000, cause });

const tooMany = (taken: number, limit: number) =>
  new TenantLimitError('This deployment holds as many tenants as it may', { details: { used: taken, limit } });

/** Without the fields that are undefined. */
const defined = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
