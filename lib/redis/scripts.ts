/** One typed binding for each file in scripts/, in alphabetical order. */
import { asInteger, asList, asText, asTextOrNull } from './reply-shape.ts';
import { defineScript } from './script.ts';
import ackAuditLua from './scripts/ack-audit.lua';
import addAdjustmentLua from './scripts/add-adjustment.lua';
import appendAuditLua from './scripts/append-audit.lua';
import beginIdempotentLua from './scripts/begin-idempotent.lua';
import beginTenantCallLua from './scripts/begin-tenant-call.lua';
import changeTenantLua from './scripts/change-tenant.lua';
import checkKeyLua from './scripts/check-key.lua';
import checkLimitLua from './scripts/check-limit.lua';
import claimDueAlertsLua from './scripts/claim-due-alerts.lua';
import closePeriodLua from './scripts/close-period.lua';
import confirmTenantLua from './scripts/confirm-tenant.lua';
import createApiKeyLua from './scripts/create-api-key.lua';
import createTenantLua from './scripts/create-tenant.lua';
import deleteCacheEntryLua from './scripts/delete-cache-entry.lua';
import endIdempotentLua from './scripts/end-idempotent.lua';
import endTenantCallLua from './scripts/end-tenant-call.lua';
import finishErasureLua from './scripts/finish-erasure.lua';
import forgetRefusalsLua from './scripts/forget-refusals.lua';
import freeAbandonedHoldsLua from './scripts/free-abandoned-holds.lua';
import getCacheEntryLua from './scripts/get-cache-entry.lua';
import listTenantsLua from './scripts/list-tenants.lua';
import publishChangeLua from './scripts/publish-change.lua';
import raiseAlertLua from './scripts/raise-alert.lua';
import readBillingLua from './scripts/read-billing.lua';
import readBillingRunLua from './scripts/read-billing-run.lua';
import readUsageLua from './scripts/read-usage.lua';
import releaseQuotaLua from './scripts/release-quota.lua';
import removeExpiredRecordsLua from './scripts/remove-expired-records.lua';
import replaceAlertLua from './scripts/replace-alert.lua';
import reserveQuotaLua from './scripts/reserve-quota.lua';
import reserveTenantLua from './scripts/reserve-tenant.lua';
import revokeApiKeyLua from './scripts/revoke-api-key.lua';
import sealAuditLua from './scripts/seal-audit.lua';
import setCacheEntryLua from './scripts/set-cache-entry.lua';
import settleQuotaLua from './scripts/settle-quota.lua';
import unlistTenantLua from './scripts/unlist-tenant.lua';
import verifyAccessLua from './scripts/verify-access.lua';

/** What every script that opens the gate is given first, in this order. */
const GATE_ARGS = ['keyField', 'scope', 'context', 'carriedUs', 'route'] as const;
export type GateArg = (typeof GATE_ARGS)[number];
/** Keys that gate.ts gives: the second to scripts that may have to free what was reserved and abandoned. */
export type GateKey = 'gate' | 'holds';

export const ackAudit = defineScript({
  name: 'ack-audit',
  source: ackAuditLua,
  keys: ['gate'],
  args: ['...entries'],
  reply: (raw) => asInteger(asList(raw, 1)[0]),
});

export const addAdjustment = defineScript({
  name: 'add-adjustment',
  source: addAdjustmentLua,
  keys: ['record', 'gate', 'billing', 'erased'],
  args: ['field', 'amount', 'reason', 'entry', 'maxFields'],
  reply: (raw) => {
    const [code, adjustment, record, outbox] = asList(raw);
    if (code === 3) return { state: 'no_tenant', erased: adjustment === 1 } as const;
    if (code === 4) return { state: 'too_many' } as const;
    return { state: 'added', adjustment: asText(adjustment), record: asText(record), outbox: asText(outbox) } as const;
  },
});

export const appendAudit = defineScript({
  name: 'append-audit',
  source: appendAuditLua,
  keys: ['pending', 'seen'],
  args: ['id', 'json'],
  reply: (raw) => asInteger(asList(raw, 1)[0]) === 1,
});

export const beginIdempotent = defineScript({
  name: 'begin-idempotent',
  source: beginIdempotentLua,
  keys: ['call'],
  args: ['body', 'op', 'leaseMs', 'ttlMs'],
  reply: (raw) => {
    const [code, value, lease] = asList(raw);
    if (code === 1) return { state: 'run', op: asText(value), lease: asText(lease) } as const;
    if (code === 2) return { state: 'done', reply: asText(value) } as const;
    if (code === 3) return { state: 'running', leftMs: asInteger(value) } as const;
    return { state: 'other' } as const;
  },
});

export const beginTenantCall = defineScript({
  name: 'begin-tenant-call',
  source: beginTenantCallLua,
  keys: ['gate', 'holds', 'call', 'index'],
  args: [...GATE_ARGS, 'body', 'op', 'leaseMs', 'ttlMs'],
  reply: (raw) => asList(raw),
});

export const changeTenant = defineScript({
  name: 'change-tenant',
  source: changeTenantLua,
  keys: ['record', 'gate', 'billing', 'requests'],
  args: ['rev', 'op', 'json', 'status', 'limits', 'bumpContext', 'oldPlan', 'entry', '...changes'],
  reply: (raw) => {
    const [code, record, outbox] = asList(raw);
    if (code === 4) return { state: 'none' } as const;
    const state = (['changed', 'repeated', 'conflict'] as const)[asInteger(code) - 1] ?? 'conflict';
    return { state, record: asText(record), outbox: asText(outbox) };
  },
});

export const checkKey = defineScript({
  name: 'check-key',
  source: checkKeyLua,
  keys: ['gate'],
  args: GATE_ARGS,
  reply: (raw) => asList(raw),
});

export const checkLimit = defineScript({
  name: 'check-limit',
  source: checkLimitLua,
  keys: ['gate', 'holds', 'limit', 'index'],
  args: [...GATE_ARGS, 'algorithm', 'limit', 'windowMs', 'cost', 'op'],
  reply: (raw) => asList(raw),
});

export const claimDueAlerts = defineScript({
  name: 'claim-due-alerts',
  source: claimDueAlertsLua,
  keys: ['due'],
  args: ['nowMs', 'untilMs', 'limit'],
  reply: (raw) => asList(raw).map(asText),
});

export const closePeriod = defineScript({
  name: 'close-period',
  source: closePeriodLua,
  keys: ['billing'],
  args: ['field', 'invoice', 'endMs', '...changes'],
  reply: (raw) => {
    const [code, invoice] = asList(raw);
    return code === 2 ? ('not_ended' as const) : { closedNow: code === 1, invoice: asText(invoice) };
  },
});

export const confirmTenant = defineScript({
  name: 'confirm-tenant',
  source: confirmTenantLua,
  keys: ['tenants', 'reservations', 'index', 'summary', 'pending', 'seen'],
  args: ['id', 'rev', 'plan', 'status', 'text'],
  reply: (raw) => asList(raw, 1).length,
});

export const createApiKey = defineScript({
  name: 'create-api-key',
  source: createApiKeyLua,
  keys: ['record', 'gate', 'apiKeys'],
  args: ['id', 'keyHash', 'field', 'json', 'maxKeys', 'fence', 'limit', 'entry', 'rotates', 'rotated', 'overlapMs'],
  reply: (raw) => {
    const [code, outbox] = asList(raw);
    if (code === 1) return { state: 'added', outbox: asText(outbox) } as const;
    return { state: KEY_REFUSED[asInteger(code) - 2] ?? 'no_tenant' } as const;
  },
});

const KEY_REFUSED = [
  'no_tenant',
  'too_many',
  'revoked',
  'deleted',
  'taken_over',
  'no_rotated',
  'changed',
  'not_active',
] as const;

export const createTenant = defineScript({
  name: 'create-tenant',
  source: createTenantLua,
  keys: ['record', 'gate', 'erased'],
  args: ['stored', 'limits', 'counters', 'context', '...fields'],
  reply: (raw) => {
    const [created, stored] = asList(raw);
    return created === 2 ? null : { created: created === 1, stored: asText(stored) };
  },
});

export const deleteCacheEntry = defineScript({
  name: 'delete-cache-entry',
  source: deleteCacheEntryLua,
  keys: ['gate', 'entry', 'index'],
  args: [...GATE_ARGS, 'condition', 'op'],
  reply: (raw) => asList(raw),
});

export const endIdempotent = defineScript({
  name: 'end-idempotent',
  source: endIdempotentLua,
  keys: ['call'],
  args: ['op', 'lease', 'reply'],
  reply: (raw) => asInteger(asList(raw, 1)[0]) === 1,
});

export const endTenantCall = defineScript({
  name: 'end-tenant-call',
  source: endTenantCallLua,
  keys: ['gate', 'holds', 'call', 'index'],
  args: ['op', 'lease', 'reply', 'generation'],
  reply: (raw) => (['not_ours', 'kept', 'no_room'] as const)[asInteger(asList(raw)[0])],
});

export const forgetRefusals = defineScript({
  name: 'forget-refusals',
  source: forgetRefusalsLua,
  keys: ['refusals'],
  args: ['...seen'],
  reply: (raw) => asInteger(asList(raw, 1)[0]),
});

export const freeAbandonedHolds = defineScript({
  name: 'free-abandoned-holds',
  source: freeAbandonedHoldsLua,
  keys: ['gate', 'holds'],
  args: [],
  reply: (raw) => asInteger(asList(raw, 1)[0]),
});

export const finishErasure = defineScript({
  name: 'finish-erasure',
  source: finishErasureLua,
  keys: ['erased', 'record', '...others'],
  args: ['receipt'],
  reply: (raw) => asInteger(asList(raw, 1)[0]) === 1,
});

export const getCacheEntry = defineScript({
  name: 'get-cache-entry',
  source: getCacheEntryLua,
  keys: ['gate', 'holds', 'entry', 'index'],
  args: [...GATE_ARGS, 'want'],
  reply: (raw) => asList(raw),
});

export const listTenants = defineScript({
  name: 'list-tenants',
  source: listTenantsLua,
  keys: ['index', 'summary'],
  args: ['prefix', 'after', 'limit', 'text'],
  reply: (raw) => {
    const [ids, cursor] = asList(raw, 2);
    return { ids: asList(ids).map(asText), cursor: asText(cursor) };
  },
});

export const publishChange = defineScript({
  name: 'publish-change',
  source: publishChangeLua,
  keys: ['tenants', 'index', 'summary', 'pending', 'seen'],
  args: ['id', 'rev', 'plan', 'status', 'text', '...entries'],
  reply: (raw) => asList(raw, 1).length,
});

export const raiseAlert = defineScript({
  name: 'raise-alert',
  source: raiseAlertLua,
  keys: ['alerts'],
  args: ['mark', 'threshold', 'amount', 'id', 'alert', 'keepFrom', 'maxAlerts'],
  reply: (raw) => asInteger(asList(raw, 1)[0]) === 1,
});

export const readBilling = defineScript({
  name: 'read-billing',
  source: readBillingLua,
  keys: ['record', 'gate', 'billing', 'erased'],
  args: ['invoice', '...fields'],
  reply: (raw) => {
    const [nowMs, record, values, names, found, erased] = asList(raw, 6);
    return {
      nowMs: asInteger(nowMs),
      record: asTextOrNull(record),
      values: asList(values).map(asTextOrNull),
      names: asList(names).map(asText),
      found: asList(found).map(asText),
      erased: erased === 1,
    };
  },
});

export const readBillingRun = defineScript({
  name: 'read-billing-run',
  source: readBillingRunLua,
  keys: ['closed', 'behind'],
  args: [],
  reply: (raw) => {
    const [nowMs, closed, behind] = asList(raw, 3);
    return { nowMs: asInteger(nowMs), closed: asTextOrNull(closed), behind: asList(behind).map(asText) };
  },
});

export const readUsage = defineScript({
  name: 'read-usage',
  source: readUsageLua,
  keys: ['gate', 'erased'],
  args: ['...fields'],
  reply: (raw) => {
    const [nowMs, values, erased] = asList(raw, 3);
    return { nowMs: asInteger(nowMs), values: asList(values).map(asTextOrNull), erased: erased === 1 };
  },
});

export const releaseQuota = defineScript({
  name: 'release-quota',
  source: releaseQuotaLua,
  keys: ['gate'],
  args: [...GATE_ARGS, 'resource', 'amount', 'op'],
  reply: (raw) => asList(raw),
});

export const removeExpiredRecords = defineScript({
  name: 'remove-expired-records',
  source: removeExpiredRecordsLua,
  keys: ['gate', 'index', '...records'],
  args: ['...expiries'],
  reply: (raw) => {
    const [removed, bytes, settled = 0] = asList(raw);
    return { removed: asInteger(removed), bytes: asInteger(bytes), settled: asInteger(settled) };
  },
});

export const replaceAlert = defineScript({
  name: 'replace-alert',
  source: replaceAlertLua,
  keys: ['alerts'],
  args: ['id', 'before', 'after'],
  reply: (raw) => asInteger(asList(raw, 1)[0]) === 1,
});

export const reserveQuota = defineScript({
  name: 'reserve-quota',
  source: reserveQuotaLua,
  keys: ['gate', 'holds'],
  args: [...GATE_ARGS, 'resource', 'amount', 'ttlMs', 'id', 'maxOpen'],
  reply: (raw) => asList(raw),
});

export const reserveTenant = defineScript({
  name: 'reserve-tenant',
  source: reserveTenantLua,
  keys: ['tenants', 'reservations'],
  args: ['id', 'maxTenants', 'entryId', 'entry'],
  reply: (raw) => {
    const [code, taken] = asList(raw, 2);
    const place = (['none', 'new', 'own'] as const)[asInteger(code)] ?? 'none';
    return { place, taken: asInteger(taken) };
  },
});

export const revokeApiKey = defineScript({
  name: 'revoke-api-key',
  source: revokeApiKeyLua,
  keys: ['gate', 'apiKeys'],
  args: ['id', 'entry'],
  reply: (raw) => {
    const [found, outbox] = asList(raw);
    return found === 1 ? { outbox: asText(outbox) } : null;
  },
});

export const sealAudit = defineScript({
  name: 'seal-audit',
  source: sealAuditLua,
  keys: ['pending', 'log', 'head'],
  args: ['oldHead', 'newHead', 'taken', 'digest', 'firstSeq', '...sealed'],
  reply: (raw) => asInteger(asList(raw, 1)[0]) === 1,
});

export const setCacheEntry = defineScript({
  name: 'set-cache-entry',
  source: setCacheEntryLua,
  keys: ['gate', 'holds', 'entry', 'index'],
  args: [...GATE_ARGS, 'condition', 'ttlMs', 'metaBytes', 'rawBytes', 'digest', 'op', 'codec', 'body'],
  reply: (raw) => asList(raw),
});

export const settleQuota = defineScript({
  name: 'settle-quota',
  source: settleQuotaLua,
  keys: ['gate', 'holds'],
  args: [...GATE_ARGS, 'id', 'amount', 'op'],
  reply: (raw) => asList(raw),
});

export const unlistTenant = defineScript({
  name: 'unlist-tenant',
  source: unlistTenantLua,
  keys: ['tenants', 'index', 'summary', 'refusals', 'behind'],
  args: ['id'],
  reply: (raw) => asList(raw, 1).length,
});

export const verifyAccess = defineScript({
  name: 'verify-access',
  source: verifyAccessLua,
  keys: ['gate'],
  args: GATE_ARGS,
  reply: (raw) => asList(raw),
});

export const allScripts = [
  ackAudit,
  addAdjustment,
  appendAudit,
  beginIdempotent,
  beginTenantCall,
  changeTenant,
  checkKey,
  checkLimit,
  claimDueAlerts,
  closePeriod,
  confirmTenant,
  createApiKey,
  createTenant,
  deleteCacheEntry,
  endIdempotent,
  endTenantCall,
  finishErasure,
  forgetRefusals,
  freeAbandonedHolds,
  getCacheEntry,
  listTenants,
  publishChange,
  raiseAlert,
  readBilling,
  readBillingRun,
  readUsage,
  releaseQuota,
  removeExpiredRecords,
  replaceAlert,
  reserveQuota,
  reserveTenant,
  revokeApiKey,
  sealAudit,
  setCacheEntry,
  settleQuota,
  unlistTenant,
  verifyAccess,
] as const;
