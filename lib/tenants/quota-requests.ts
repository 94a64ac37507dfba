/** Requests for higher quotas: made, listed, decided. Approving applies the quotas in the step that closes the request. */
import { NotFoundError } from '../errors.ts';
import { newQuotaRequestId, newUlid, type TenantId } from '../ids.ts';
import type { AdminCall } from './admin-call.ts';
import type { CreateQuotaRequest, QuotaRequestListResponse, QuotaRequestResponse } from './quota-request-contract.ts';
import { type Decision, decide, decideCreate, requestsOf } from './quota-request-decision.ts';
import type { TenantChanges } from './tenant-change.ts';
import type { TenantReader } from './tenant-reader.ts';

export interface QuotaRequestQuery {
  readonly limit: number;
  /** The last request of the page before. */
  readonly cursor?: string | undefined;
  readonly status?: QuotaRequestResponse['status'] | undefined;
}

export type QuotaRequests = ReturnType<typeof createQuotaRequests>;

export function createQuotaRequests(deps: {
  readonly reader: TenantReader;
  readonly changes: TenantChanges;
  /** Unix ms. */
  readonly now: () => number;
}) {
  const { reader, changes, now } = deps;

  const close = async (
    id: TenantId,
    decision: Omit<Decision, 'at'>,
    call: AdminCall,
  ): Promise<QuotaRequestResponse> => {
    const at = new Date(now()).toISOString();
    await changes.change(id, call, (current) => decide(current, { ...decision, at }));
    return read(id, decision.id, call.signal);
  };

  const read = async (id: TenantId, requestId: string, signal: AbortSignal | undefined) => {
    const found = requestsOf(await reader.read(id, signal)).find((request) => request.id === requestId);
    if (found === undefined) throw new NotFoundError('quota_request_not_found', 'No such quota request');
    return found;
  };

  return {
    /**
     * @param call.ulid identity of this request; the same again is the same request.
     * @throws as TenantChanges.change and quota-request-decision.ts.
     */
    async create(id: TenantId, asked: CreateQuotaRequest, options: AdminCall = {}): Promise<QuotaRequestResponse> {
      const call = { ...options, ulid: options.ulid ?? newUlid(now()) };
      const request: QuotaRequestResponse = {
        id: newQuotaRequestId(call.ulid),
        ...asked,
        status: 'open',
        created_at: new Date(now()).toISOString(),
      };
      await changes.change(id, call, (current) =>
        current.requests.has(request.id) ? null : decideCreate(current, request),
      );
      return read(id, request.id, call.signal);
    },

    /** A page of them, oldest first; one round trip. @throws as TenantReader.read. */
    async list(id: TenantId, query: QuotaRequestQuery, signal?: AbortSignal): Promise<QuotaRequestListResponse> {
      const { limit, cursor = '', status } = query;
      const all = requestsOf(await reader.read(id, signal));
      const left = all.filter((each) => each.id > cursor && (status === undefined || each.status === status));
      const items = left.slice(0, limit);
      return { items, next_cursor: left.length > items.length ? (items.at(-1)?.id ?? null) : null };
    },

    /** Sets the quotas asked for, each where it is higher; in force from the tenant's next request on. */
    approve: (id: TenantId, requestId: string, call: AdminCall = {}): Promise<QuotaRequestResponse> =>
      close(id, { id: requestId, status: 'approved' }, call),

    /** Closes it, and leaves the quotas as they are. */
    reject: (
      id: TenantId,
      requestId: string,
      { reason, ...call }: AdminCall & { readonly reason?: string | undefined } = {},
    ): Promise<QuotaRequestResponse> => close(id, { id: requestId, status: 'rejected', reason }, call),
  };
}
