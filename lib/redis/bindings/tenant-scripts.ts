/** Bindings: tenants and their API keys. */
import { asInteger, asList, asText } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import ackAuditLua from '../scripts/ack-audit.lua';
import changeTenantLua from '../scripts/change-tenant.lua';
import confirmTenantLua from '../scripts/confirm-tenant.lua';
import createApiKeyLua from '../scripts/create-api-key.lua';
import createTenantLua from '../scripts/create-tenant.lua';
import finishErasureLua from '../scripts/finish-erasure.lua';
import listTenantsLua from '../scripts/list-tenants.lua';
import publishChangeLua from '../scripts/publish-change.lua';
import reserveTenantLua from '../scripts/reserve-tenant.lua';
import revokeApiKeyLua from '../scripts/revoke-api-key.lua';
import unlistTenantLua from '../scripts/unlist-tenant.lua';

export const ackAudit = defineScript({
  name: 'ack-audit',
  source: ackAuditLua,
  keys: ['gate'],
  args: ['...entries'],
  reply: (raw) => asInteger(asList(raw, 1)[0]),
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

export const finishErasure = defineScript({
  name: 'finish-erasure',
  source: finishErasureLua,
  keys: ['erased', 'record', '...others'],
  args: ['receipt'],
  reply: (raw) => asInteger(asList(raw, 1)[0]) === 1,
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

export const unlistTenant = defineScript({
  name: 'unlist-tenant',
  source: unlistTenantLua,
  keys: ['tenants', 'index', 'summary', 'refusals', 'behind'],
  args: ['id'],
  reply: (raw) => asList(raw, 1).length,
});
