/** Tenants: created, read, repaired. The record says who a tenant is; the gate hash beside it what it may. */
import { newAuditEntry, packEntry } from '../audit/entry.ts';
import type { TenantConfig } from '../config/config.ts';
import { defined } from '../defined.ts';
import { OutcomeUnknownError, TenantLimitError } from '../errors.ts';
import { EMPTY_CONTEXT, type KeyRef, packContext } from '../gate/context-format.ts';
import { NO_COUNTERS } from '../gate/counters.ts';
import { packLimits } from '../gate/gate-fields.ts';
import { newTenantId, newUlid, parseTenantId, type TenantId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import { confirmTenant, createTenant, reserveTenant } from '../redis/bindings/tenant-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { pairsOf } from '../redis/reply-shape.ts';
import { runScript } from '../redis/script.ts';
import { type AdminCall, originOf } from './admin-call.ts';
import { choicesOf } from './cache-choices.ts';
import type { CreateTenantRequest, TenantResponse } from './contract.ts';
import { routeLimits } from './own-limits.ts';
import { packRecord, type StoredTenant, unpackRecord } from './record-format.ts';
import { sessionChoicesOf } from './session-choices.ts';
import { absent, type TenantReader } from './tenant-reader.ts';
import { NO_SUMMARY, summaryOf } from './tenant-summary.ts';

export type Tenants = ReturnType<typeof createTenants>;

/** A reservation this old belongs to a creation that ended half-way. */
const ABANDONED_AFTER_MS = 120_000;

/**
 * Makes a tenant's first data key. Asked again for the same tenant, it gives the same key.
 * @throws {EncryptionUnavailableError} the deployment has no key provider.
 */
export type ProvisionKey = (id: TenantId, signal?: AbortSignal) => Promise<KeyRef>;

export function createTenants(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly config: TenantConfig;
  readonly reader: TenantReader;
  readonly provisionKey: ProvisionKey;
  /** Unix time, ms: for ids and the record's times, never for limits. */
  readonly now: () => number;
}) {
  const { redis, keys, config, reader, now } = deps;
  const places = () => ({ tenants: keys.tenants(), reservations: keys.tenantReservations() });

  const recordOf = (id: TenantId, request: CreateTenantRequest): TenantResponse => {
    const at = new Date(now()).toISOString();
    const { quotas, isolation_level = config.isolationLevel, encryption = config.enableEncryption, ...rest } = request;
    return {
      id,
      ...defined(rest),
      isolation_level,
      encryption,
      quotas: { ...config.defaultQuotas, ...defined(quotas) },
      status: 'active',
      created_at: at,
      updated_at: at,
    };
  };

  const reserve = (id: TenantId, tenant: TenantResponse, call: AdminCall & { readonly ulid: string }) => {
    const { plan, isolation_level, encryption, quotas } = tenant;
    const entry = newAuditEntry({
      id: call.ulid,
      action: 'tenant.create',
      tenantId: id,
      ...originOf(call),
      details: { plan, isolation_level, encryption, quotas },
      now: now(),
    });
    return runScript(redis, reserveTenant, {
      keys: places(),
      args: { id, maxTenants: config.maxTenants, entryId: entry.id, entry: packEntry(entry) },
      kind: 'write',
      signal: call.signal,
    });
  };

  const write = async (
    id: TenantId,
    tenant: TenantResponse,
    key: KeyRef | null,
    call: AdminCall & { ulid: string },
  ) => {
    const encryption = key === null ? {} : { keys: [key], data_key: key.version };
    const choices = { cache: choicesOf(tenant.cache), sessions: sessionChoicesOf(tenant.sessions) };
    const written = await runScript(redis, createTenant, {
      keys: { record: keys.record(id), gate: keys.gate(id), erased: keys.erased(id) },
      args: {
        stored: packRecord({ rev: 1, op: call.ulid, tenant }),
        limits: packLimits({
          status: 'active',
          contextVersion: 1,
          generation: 1,
          quotas: tenant.quotas,
          burst: tenant.rate_limit?.burst,
        }),
        counters: NO_COUNTERS,
        context: packContext({ ...EMPTY_CONTEXT, ...encryption, ...choices }),
        fields: routeLimits(tenant.rate_limit).flat(),
      },
      kind: 'write',
      signal: call.signal,
    });
    if (written === null) throw absent(true);
    return unpackRecord(written.stored);
  };

  /** With its record it is a tenant; without one (null) its place is given back. */
  const confirm = (id: TenantId, stored: StoredTenant | null, signal?: AbortSignal) =>
    runScript(redis, confirmTenant, {
      keys: {
        ...places(),
        index: keys.tenantIndex(),
        summary: keys.tenantSummary(),
        pending: keys.auditPending(),
        seen: keys.auditSeen(),
      },
      args: { id, ...(stored === null ? NO_SUMMARY : summaryOf(stored)) },
      kind: 'write',
      signal,
    });

  /** A place just taken is given back when there is no key; where that fails too, repair does it. */
  const provision = (id: TenantId, newPlace: boolean, signal?: AbortSignal) =>
    deps.provisionKey(id, signal).catch(async (error: unknown) => {
      if (newPlace) await confirm(id, null, signal).catch(() => undefined);
      throw error;
    });

  const createStored = async (request: CreateTenantRequest, options: AdminCall = {}): Promise<StoredTenant> => {
    const call = { ...options, ulid: options.ulid ?? newUlid(now()) };
    const { signal } = call;
    const id = newTenantId(call.ulid);
    const tenant = recordOf(id, request);
    const { place, taken } = await reserve(id, tenant, call);
    if (place === 'none') throw tooMany(taken, config.maxTenants);
    const key = tenant.encryption ? await provision(id, place === 'new', signal) : null;
    const stored = await write(id, tenant, key, call);
    // The tenant exists from here on: "nothing was changed" would be untrue.
    await confirm(id, stored, signal).catch((cause: unknown) => {
      throw notConfirmed(cause);
    });
    return stored;
  };

  return {
    /**
     * Creates a tenant in three round trips: a place is reserved, record and gate are written, the place is confirmed.
     * Ended between two steps, it is finished by calling again with the same `ulid`, or by {@link repair}.
     * @param options.ulid identity of this creation; the same again returns the same tenant.
     * @returns the tenant with its revision.
     * @throws {TenantLimitError} the deployment is full; nothing was created.
     * @throws {EncryptionUnavailableError} encryption was asked for, and there is no key provider; nothing was created.
     * @throws {TenantErasedError} this creation's tenant was erased since.
     * @throws {OutcomeUnknownError} it may be created: a reply was lost, or the last step failed.
     */
    createStored,

    /** As {@link createStored}. @returns the tenant. */
    async create(request: CreateTenantRequest, options: AdminCall = {}): Promise<TenantResponse> {
      return (await createStored(request, options)).tenant;
    },

    /** @throws {NotFoundError} `tenant_not_found`. @throws {TenantErasedError} it was erased. */
    async get(id: TenantId, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<TenantResponse> {
      return (await reader.record(id, options.signal)).tenant;
    },

    /** As get. @returns the tenant with its revision. */
    getStored: (id: TenantId, signal?: AbortSignal): Promise<StoredTenant> => reader.record(id, signal),

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
      for (const [name, reservation] of pairsOf(fields)) {
        const id = parseTenantId(name);
        if (id === null || now() - Number.parseInt(reservation, 10) < ABANDONED_AFTER_MS) continue;
        const record = await redis.send(['GET', keys.record(id)], { kind: 'read' });
        await confirm(id, typeof record === 'string' ? unpackRecord(record) : null);
        if (typeof record === 'string') finished++;
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
