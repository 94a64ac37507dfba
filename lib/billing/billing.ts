/** Billing: a tenant's invoices, closed or so far, and corrections of them. From the counters that also enforce. */
import { newAuditEntry, packEntry } from '../audit/entry.ts';
import { AdjustmentLimitError, BillingDisabledError, NotFoundError } from '../errors.ts';
import { type Period, periodOf } from '../gate/period.ts';
import { newUlid, type TenantId } from '../ids.ts';
import { addAdjustment } from '../redis/bindings/billing-scripts.ts';
import { runScript, runScripts } from '../redis/script.ts';
import { type AdminCall, originOf } from '../tenants/admin-call.ts';
import type { Publisher } from '../tenants/publisher.ts';
import { unpackRecord } from '../tenants/record-format.ts';
import { absent } from '../tenants/tenant-reader.ts';
import { adjustmentField, adjustmentId, unpackAdjustment } from './adjustments.ts';
import { type BillingState, billingCall, readState } from './billing-state.ts';
import { type ClosingDeps, type ClosingReport, createClosing } from './closing.ts';
import type { AdjustmentResponse, CreateAdjustmentRequest, Invoice, TenantBillingResponse } from './contract.ts';
import { closingOf, invoiceOf, nextDue } from './due.ts';
import { type InvoiceEnd, simulate } from './invoice.ts';
import { invoiceField, unpackInvoice } from './invoice-format.ts';
import type { Plan } from './tariff.ts';

export interface Billing {
  /**
   * A month's invoice: the closed one, or what it is so far. Months that have ended are closed first, where the schedule has
   * not yet. One round trip when nothing is to be closed.
   * @throws {NotFoundError} `tenant_not_found`; `invoice_not_found`: the tenant was not there in that month, or it is to come.
   * @throws {TenantErasedError} it was erased, and has no invoice for that month. @throws {BillingDisabledError}
   */
  get(id: TenantId, request?: BillingRequest): Promise<TenantBillingResponse>;
  /** All closed invoices, oldest first; two round trips. @throws as get. */
  list(id: TenantId, signal?: AbortSignal): Promise<readonly Invoice[]>;
  /**
   * Adds a correction: on the current month's invoice, and on no other. Three round trips. The same `ulid` adds it once.
   * @throws {NotFoundError | TenantErasedError | AdjustmentLimitError | BillingDisabledError} nothing was changed.
   * @throws {OutcomeUnknownError} it may be added, or is added and not yet in the audit log.
   */
  adjust(id: TenantId, request: CreateAdjustmentRequest, call?: AdminCall): Promise<AdjustmentResponse>;
  /** The schedule's work: closes all months that have ended. With billing switched off, nothing. */
  closeDue(signal?: AbortSignal): Promise<ClosingReport>;
  /** As {@link closeDue}, when `tenant.billing_interval_seconds` have passed since it was last done. */
  closeWhenDue(signal?: AbortSignal): Promise<ClosingReport>;
  /**
   * Closes all of a tenant that is about to be erased: months that have ended, and the current one as it stands. Once more, it
   * changes nothing, also in a later month. null: billing is off, or there is no such tenant.
   */
  closeFinal(id: TenantId, signal?: AbortSignal): Promise<Invoice | null>;
}

export interface BillingRequest {
  /** Default: the current month. */
  readonly period?: Period | undefined;
  readonly simulatePlan?: Plan | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface BillingDeps extends ClosingDeps {
  readonly publisher: Publisher;
  readonly enabled: boolean;
  readonly intervalMs: number;
}

/** Fields of a tenant's billing hash: invoices of centuries, or corrections of a month that nobody would read. */
export const MAX_BILLING_FIELDS = 5_000;
/** The schedule's own beat. */
const TICK_MS = 60_000;
const NOTHING: ClosingReport = { tenants: 0, closed: 0, behind: 0, finished: true };

export function createBilling(deps: BillingDeps): Billing {
  const { redis, keys, publisher, prices, now } = deps;
  const closing = createClosing(deps);

  const mustBeEnabled = () => {
    if (!deps.enabled) throw new BillingDisabledError('Nothing is priced in this deployment');
  };

  const read = async (id: TenantId, wanted: Period | null, signal?: AbortSignal): Promise<BillingState> => {
    const calls = [billingCall(keys, id, { wanted: wanted?.name ?? null, now: now() })] as const;
    const [reply] = await runScripts(redis, calls, { kind: 'read', signal });
    if (reply instanceof Error) throw reply;
    return readState(id, { wanted: wanted?.name ?? null, reply });
  };

  const close = async (state: BillingState, period: Period, end: Exclude<InvoiceEnd, 'open'>, signal?: AbortSignal) => {
    const text = await closing.close(state.tenantId, closingOf(state, period, { prices, end }), signal);
    return text === null ? null : unpackInvoice(text);
  };

  /** The state, after all months that have ended are closed. */
  const readClosed = async (id: TenantId, wanted: Period | null, signal?: AbortSignal): Promise<BillingState> => {
    for (;;) {
      const state = await read(id, wanted ?? periodOf(now()), signal);
      const due = nextDue(state);
      if (due === null || (await close(state, due, 'closed', signal)) === null) return state;
    }
  };

  return {
    async get(id, { period: asked, simulatePlan, signal } = {}) {
      mustBeEnabled();
      const state = await readClosed(id, asked ?? null, signal);
      const period = asked ?? periodOf(state.nowMs);
      const invoice = invoiceOf(state, period, prices);
      if (invoice === null && state.tenant === null) throw absent(state.erased);
      if (invoice === null) throw new NotFoundError('invoice_not_found', 'The tenant has no bill for that month');
      const shown = simulatePlan === undefined ? invoice : simulate(invoice, simulatePlan, { period, prices });
      return { ...shown, simulated_plan: simulatePlan ?? null, closed_periods: [...state.closed] };
    },

    async list(id, signal) {
      mustBeEnabled();
      const state = await readClosed(id, null, signal);
      if (state.tenant === null && state.closed.length === 0) throw absent(state.erased);
      if (state.closed.length === 0) return [];
      const command = ['HMGET', keys.billing(id), ...state.closed.map(invoiceField)] as const;
      const texts = (await redis.send(command, { kind: 'read', signal })) as readonly (string | null)[];
      return texts.flatMap((text) => (text === null ? [] : [unpackInvoice(text)]));
    },

    async adjust(id, request, call = {}) {
      mustBeEnabled();
      const ulid = call.ulid ?? newUlid(now());
      const field = adjustmentField(ulid);
      const entry = newAuditEntry({
        id: ulid,
        action: 'billing.adjust',
        tenantId: id,
        ...originOf(call),
        details: { adjustment_id: adjustmentId(ulid), amount_micros: request.amount_micros },
        now: now(),
      });
      const outcome = await runScript(redis, addAdjustment, {
        keys: { record: keys.record(id), gate: keys.gate(id), billing: keys.billing(id), erased: keys.erased(id) },
        args: {
          field,
          amount: request.amount_micros,
          reason: JSON.stringify(request.reason),
          entry: packEntry(entry),
          maxFields: MAX_BILLING_FIELDS,
        },
        kind: 'write',
        signal: call.signal,
      });
      if (outcome.state === 'no_tenant') throw absent(outcome.erased);
      if (outcome.state === 'too_many') throw tooMany();
      const { record, outbox, adjustment } = outcome;
      await publisher.publish(id, { stored: unpackRecord(record), outbox, signal: call.signal });
      return responseOf(id, unpackAdjustment(field, adjustment));
    },

    async closeDue(signal) {
      return deps.enabled ? closing.closeDue(signal) : NOTHING;
    },

    async closeWhenDue(signal) {
      if (!deps.enabled) return NOTHING;
      if (deps.intervalMs > TICK_MS) {
        const command = ['SET', keys.billingLooked(), 1, 'NX', 'PX', deps.intervalMs - TICK_MS / 2] as const;
        if ((await redis.send(command, { kind: 'write', signal })) === null) return NOTHING;
      }
      return closing.closeDue(signal);
    },

    async closeFinal(id, signal) {
      if (!deps.enabled) return null;
      const state = await readClosed(id, null, signal);
      if (state.last?.final) return state.last;
      return state.tenant === null ? null : close(state, periodOf(state.nowMs), 'final', signal);
    },
  };
}

const tooMany = () =>
  new AdjustmentLimitError('This tenant has as many corrections as it may', { details: { limit: MAX_BILLING_FIELDS } });

const responseOf = (id: TenantId, adjustment: ReturnType<typeof unpackAdjustment>): AdjustmentResponse => ({
  id: adjustment.id,
  tenant_id: id,
  amount_micros: Number(adjustment.amountMicros),
  reason: adjustment.reason,
  created_at: new Date(adjustment.atMs).toISOString(),
  period: adjustment.period,
});
