/** A tenant's bill so far: from the counters that enforced, in lines that add up; what other plans would cost; a correction. */
import type { Client } from '../../../lib/client/client.ts';
import { PLANS } from '../../../lib/tenants/contract.ts';
import { demand, demandRefusal, demandStatus } from '../claims.ts';
import type { DemoTenant } from '../tenant.ts';

const CREDIT_MICROS = -1_000;

export interface BillLine {
  readonly key: string;
  readonly quantity: string;
  readonly unit: string;
  readonly included: string;
  readonly price_micros: number;
  readonly priced_per: string;
  readonly amount_micros: number;
}

export interface Bill {
  readonly tenant: string;
  readonly plan: string;
  readonly period: string;
  readonly currency: string;
  readonly lines: readonly BillLine[];
  readonly total_micros: number;
  /** What the same use would cost under each other plan. */
  readonly under_other_plans: readonly { readonly plan: string; readonly total_micros: number }[];
}

export interface BillProof {
  /** null: nothing is priced in this deployment. */
  readonly bill: Bill | null;
  readonly shown: readonly string[];
  readonly notShown: readonly string[];
}

type Simulated = Parameters<Client['getTenantBilling']>[0]['query'];

/** All calls of the tenant have ended. @throws {BrokenClaimError} */
export async function proveBill(admin: Client, tenant: DemoTenant): Promise<BillProof> {
  const params = { id: tenant.id };
  const body = { amount_micros: CREDIT_MICROS, reason: 'A credit of the demo' };
  const credit = await admin.createAdjustment({ params, body });
  if (!credit.ok && credit.problem.code === 'billing_disabled') {
    demandRefusal(credit, { status: 409, code: 'billing_disabled' }, 'A credit where nothing is priced');
    return { bill: null, shown: [], notShown: ['A bill: tenant.enable_billing is off in this deployment'] };
  }
  demandStatus(credit, 201, 'Give a credit');
  const invoice = await readBill(admin, tenant, {});
  const usage = await admin.getTenantUsage({ params });
  demandStatus(usage, 200, 'The usage of a tenant');
  const billed = invoice.lines.find(({ key }) => key === 'operations')?.quantity;
  const { operation_count } = usage.data.total;
  demand(billed === String(operation_count), `${billed} operations are billed, and ${operation_count} were metered`);
  const credits = invoice.lines.filter(({ key }) => key === 'adjustment').map(({ amount_micros }) => amount_micros);
  demand(credits.length === 1 && credits[0] === CREDIT_MICROS, 'The credit stands on the bill, once');
  const others = [];
  for (const plan of PLANS.filter((name) => name !== tenant.plan)) {
    const { total_micros } = await readBill(admin, tenant, { simulate_plan: plan });
    others.push({ plan, total_micros });
  }
  const { period, currency, total_micros } = invoice;
  const lines = invoice.lines.map(({ key, quantity, unit, included, unit_price_micros, priced_per, amount_micros }) => {
    return { key, quantity, unit, included, price_micros: unit_price_micros, priced_per, amount_micros };
  });
  return {
    bill: { tenant: tenant.name, plan: tenant.plan, period, currency, lines, total_micros, under_other_plans: others },
    shown: [
      `The bill of tenant ${tenant.name} counts the ${operation_count} operations that were metered; its lines, a credit among them, add up`,
    ],
    notShown: [],
  };
}

/** @throws {BrokenClaimError} its lines do not add up to its total. */
async function readBill(admin: Client, { id, name }: DemoTenant, query: NonNullable<Simulated>) {
  const reply = await admin.getTenantBilling({ params: { id }, query });
  const what = query.simulate_plan === undefined ? 'The bill' : `The bill under plan ${query.simulate_plan}`;
  demandStatus(reply, 200, `${what} of tenant ${name}`);
  const { lines, total_micros } = reply.data;
  const sum = lines.reduce((total, { amount_micros }) => total + amount_micros, 0);
  demand(
    sum === total_micros,
    `${what} of tenant ${name}: its lines add up to ${sum}, and its total is ${total_micros}`,
  );
  return reply.data;
}
