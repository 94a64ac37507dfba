/** What becomes of a request for higher quotas: pure. */
import { InvalidRequestError, NotFoundError, QuotaRequestError } from '../errors.ts';
import type { TenantResponse } from './contract.ts';
import { requireLive } from './lifecycle.ts';
import type { QuotaRequestResponse } from './quota-request-contract.ts';
import type { FurtherChange, TenantChange } from './tenant-change.ts';
import type { CurrentTenant } from './tenant-reader.ts';

export const MAX_OPEN = 100;
/** Decided ones that are kept; the oldest go first. */
export const MAX_DECIDED = 100;

type Quotas = TenantResponse['quotas'];
type Asked = QuotaRequestResponse['quotas'];

/** All that are kept, oldest first. */
export const requestsOf = ({ requests }: Pick<CurrentTenant, 'requests'>): readonly QuotaRequestResponse[] =>
  [...requests.values()].map((json) => JSON.parse(json) as QuotaRequestResponse).sort((a, b) => (a.id < b.id ? -1 : 1));

/**
 * @throws {InvalidRequestError} a quota is not above what it is. @throws {QuotaRequestError} 100 are open.
 * @throws {TenantStateError} `deletion_pending`.
 */
export function decideCreate(current: CurrentTenant, request: QuotaRequestResponse): TenantChange {
  const { tenant } = current.stored;
  requireLive(tenant, Date.parse(request.created_at));
  const issues = namesOf(request.quotas)
    .filter((name) => (request.quotas[name] as number) <= tenant.quotas[name])
    .map((name) => ({
      field: `body.quotas.${name}`,
      message: `must be above ${tenant.quotas[name]}, which it is now`,
    }));
  if (issues.length > 0) throw new InvalidRequestError('These quotas are not higher', { issues });
  const open = requestsOf(current).filter(({ status }) => status === 'open');
  if (open.length >= MAX_OPEN) {
    throw new QuotaRequestError('quota_request_limit_reached', 'Decide some of the open requests first', {
      details: { limit: MAX_OPEN },
    });
  }
  return {
    tenant,
    action: 'quota_request.create',
    details: { request: request.id, quotas: { ...request.quotas } as Quotas },
    further: [ask(request)],
  };
}

export interface Decision {
  readonly id: string;
  readonly status: 'approved' | 'rejected';
  readonly at: string;
  readonly reason?: string | undefined;
}

/**
 * Null: it is decided so already.
 * @throws {NotFoundError} `quota_request_not_found`. @throws {QuotaRequestError} it is decided the other way.
 * @throws {TenantStateError} `deletion_pending`.
 */
export function decide(current: CurrentTenant, { id, status, at, reason }: Decision): TenantChange | null {
  const { tenant } = current.stored;
  requireLive(tenant, Date.parse(at));
  const request = requestsOf(current).find((each) => each.id === id);
  if (request === undefined) throw new NotFoundError('quota_request_not_found', 'No such quota request');
  if (request.status === status) return null;
  if (request.status !== 'open') {
    throw new QuotaRequestError('quota_request_closed', `This request is ${request.status}`, {
      details: { status: request.status },
    });
  }
  const closed = { ...request, status, decided_at: at, ...(reason === undefined ? {} : { decision_reason: reason }) };
  const quotas = status === 'approved' ? raised(tenant.quotas, request.quotas) : tenant.quotas;
  return {
    tenant: { ...tenant, quotas },
    action: status === 'approved' ? 'quota_request.approve' : 'quota_request.reject',
    details: { request: id, ...(status === 'approved' ? changedQuotas(tenant.quotas, quotas) : {}) },
    further: [ask(closed), ...forgotten(current)],
  };
}

/** A quota raised since beyond what was asked for stays. */
const raised = (now: Quotas, asked: Asked): Quotas =>
  Object.fromEntries(
    Object.entries(now).map(([name, limit]) => [name, Math.max(limit, asked[name as keyof Quotas] ?? 0)]),
  ) as Quotas;

const changedQuotas = (before: Quotas, after: Quotas) =>
  Object.fromEntries(
    namesOf(after)
      .filter((name) => before[name] !== after[name])
      .map((name) => [name, { from: before[name], to: after[name] }]),
  );

const namesOf = (quotas: Asked) => Object.keys(quotas) as (keyof Quotas)[];

const ask = (request: QuotaRequestResponse): FurtherChange => ({
  kind: 'ask',
  name: request.id,
  value: JSON.stringify(request),
});

/** The oldest decided ones, so that one more may be kept. */
function forgotten(current: CurrentTenant): readonly FurtherChange[] {
  const decided = requestsOf(current).filter(({ status }) => status !== 'open');
  const surplus = Math.max(0, decided.length + 1 - MAX_DECIDED);
  return decided.slice(0, surplus).map(({ id }) => ({ kind: 'forget', name: id }));
}
