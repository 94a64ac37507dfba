/** What an update makes of a tenant: pure. Fields not named stay as they are; null removes those that may be absent. */
import { canonicalJson, type JsonValue } from '../audit/canonical-json.ts';
import { describeChanges } from '../audit/changes.ts';
import { defined } from '../defined.ts';
import { TenantStateError } from '../errors.ts';
import type { ContextData, KeyRef } from '../gate/context-format.ts';
import { choicesOf } from './cache-choices.ts';
import type { TenantResponse } from './contract.ts';
import { requireLive } from './lifecycle.ts';
import { changeRouteLimits } from './own-limits.ts';
import { sessionChoicesOf } from './session-choices.ts';
import type { TenantChange } from './tenant-change.ts';
import type { CurrentTenant } from './tenant-reader.ts';
import type { UpdateTenantRequest } from './update-contract.ts';

export interface UpdateOptions {
  /** Quotas below what is in use are taken too: nothing more fits until enough is removed. */
  readonly force: boolean;
  /** The first data key, for a tenant that has none and is to be encrypted. */
  readonly firstKey?: KeyRef | undefined;
  /** Unix ms. */
  readonly nowMs: number;
}

/** Whether the update turns encryption on for a tenant without a key. */
export const needsKey = ({ stored, context }: CurrentTenant, { encryption }: UpdateTenantRequest): boolean =>
  encryption === true && stored.tenant.status !== 'deleted' && context.keys.length === 0;

/**
 * Null: it is so already.
 * @throws {TenantStateError} `quota_below_usage`. @throws as requireLive.
 */
export function decideUpdate(
  current: CurrentTenant,
  request: UpdateTenantRequest,
  options: UpdateOptions,
): TenantChange | null {
  const before = current.stored.tenant;
  requireLive(before, options.nowMs);
  const after = applied(before, request);
  if (canonical(before) === canonical(after)) return null;
  if (!options.force) checkQuotas(current, after);
  const context = contextOf(current.context, after, options.firstKey);
  return {
    tenant: after,
    action: 'tenant.update',
    details: describeChanges(before, after),
    further: changeRouteLimits(before.rate_limit, after.rate_limit),
    ...(context === current.context ? {} : { context }),
  };
}

function applied(before: TenantResponse, request: UpdateTenantRequest): TenantResponse {
  const { quotas = {}, rate_limit, cache, sessions, alert_webhook_url, ...plain } = request;
  const { rate_limit: _limit, cache: _cache, sessions: _sessions, alert_webhook_url: _url, ...rest } = before;
  const removable = {
    rate_limit: replaced(before.rate_limit, rate_limit),
    cache: replaced(before.cache, cache),
    sessions: replaced(before.sessions, sessions),
    alert_webhook_url: replaced(before.alert_webhook_url, alert_webhook_url),
  };
  return {
    ...rest,
    ...(defined(plain) as Partial<TenantResponse>),
    quotas: { ...before.quotas, ...(defined(quotas) as Partial<TenantResponse['quotas']>) },
    ...(defined(removable) as Partial<TenantResponse>),
  };
}

/** Of a field that may be absent: null removes it. */
const replaced = <T>(old: T | undefined, wanted: T | null | undefined): T | undefined =>
  wanted === undefined ? old : (wanted ?? undefined);

/** A quota may stay below what is in use, but is not lowered there unasked. */
function checkQuotas({ counters, stored }: CurrentTenant, { quotas }: TenantResponse): void {
  const used = { memory_bytes: counters.memoryBytes, storage_bytes: counters.storageBytes };
  for (const resource of ['memory_bytes', 'storage_bytes'] as const) {
    const limit = quotas[resource];
    if (limit >= stored.tenant.quotas[resource] || limit >= used[resource]) continue;
    throw new TenantStateError(
      'quota_below_usage',
      'The tenant uses more than this quota; force=true sets it all the same',
      {
        details: { resource, used: used[resource], limit },
      },
    );
  }
}

/** Switched off, keys stay: what was encrypted is still read. The same object when nothing of it changes. */
function contextOf(context: ContextData, after: TenantResponse, firstKey: KeyRef | undefined): ContextData {
  const { encryption } = after;
  const keys = context.keys.length === 0 && encryption && firstKey !== undefined ? [firstKey] : context.keys;
  const newest = Math.max(0, ...keys.map(({ version }) => version));
  const data_key = encryption ? context.data_key || newest : 0;
  const next = {
    ...context,
    keys,
    data_key,
    cache: choicesOf(after.cache),
    sessions: sessionChoicesOf(after.sessions),
  };
  return text(next) === text(context) ? context : next;
}

const text = (context: ContextData) => canonicalJson(context as unknown as JsonValue);

/** Times the update itself sets are no difference. Fields that are undefined are absent. */
const canonical = ({ updated_at: _at, ...tenant }: TenantResponse) => canonicalJson(tenant as unknown as JsonValue);
