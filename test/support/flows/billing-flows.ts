/** Flows of usage and billing, and the calls each makes. */
import { expect } from 'vitest';
import type { App } from '../../../lib/app.ts';
import type { Period } from '../../../lib/gate/period.ts';
import { newUlid } from '../../../lib/ids.ts';
import { newTenant } from '../app.ts';
import { months, tenantWithPast } from '../billing-state.ts';
import { keysOf } from '../tenant-state.ts';
import type { Flow } from './flow.ts';

/** Made in the last month, with 40 operations in it and 2 since. */
async function lastMonth(direct: App) {
  const [current, last] = (await months(direct, 2)) as [Period, Period];
  const past = await tenantWithPast(direct, { madeMs: last.startMs + 86_400_000 });
  await past.setPoint(last.startMs + 2 * 86_400_000, { operations: 40 });
  await past.setCounters(current.startMs, { operations: 42 });
  return { past, last, current };
}

/** One invoice of that month, with what was used in it; and nothing else. */
async function verifyClosed(direct: App, { past, last }: Awaited<ReturnType<typeof lastMonth>>): Promise<void> {
  expect(Object.keys(await past.billing())).toEqual([`inv:${last.name}`]);
  const { segments } = await direct.billing.get(past.id, { period: last });
  expect(segments.map(({ operations }) => operations)).toEqual(['40']);
}

const readUsage: Flow = {
  name: 'read usage',
  calls: ['read-usage'],
  async prepare(app, direct) {
    const { past } = await lastMonth(direct);
    return {
      run: (signal) => app.usage.get(past.id, { step: 'day', signal }),
      verify: async (result) => expect(result).toMatchObject({ total: { operation_count: 42 } }),
    };
  },
};

const readInvoice: Flow = {
  name: 'read an open invoice',
  calls: ['read-billing'],
  async prepare(app, direct) {
    const { tenant } = await newTenant(direct);
    return {
      run: (signal) => app.billing.get(tenant.id, { signal }),
      verify: async (result) => expect(result).toMatchObject({ status: 'open', closed_periods: [] }),
    };
  },
};

const closeOnDemand: Flow = {
  name: 'read an invoice that is to be closed',
  calls: ['read-billing', 'close-period', 'read-billing'],
  async prepare(app, direct) {
    const made = await lastMonth(direct);
    return {
      run: (signal) => app.billing.get(made.past.id, { period: made.last, signal }),
      verify: () => verifyClosed(direct, made),
    };
  },
};

const closeDue: Flow = {
  name: 'close all that is due',
  calls: ['read-billing-run', 'ZRANGE', 'read-billing', 'close-period', 'read-billing', 'note-billing-run'],
  async prepare(app, direct) {
    const made = await lastMonth(direct);
    await direct.redis.send(['DEL', keysOf(direct).billingClosed()], { kind: 'write' });
    return {
      run: (signal) => app.billing.closeDue(signal),
      async verify() {
        await verifyClosed(direct, made);
        expect(await direct.redis.send(['GET', keysOf(direct).billingClosed()], { kind: 'read' })).toBe(made.last.name);
        expect(await direct.redis.send(['EXISTS', keysOf(direct).billingBehind()], { kind: 'read' })).toBe(0);
      },
    };
  },
};

const lookForDue: Flow = {
  name: 'look for what is due, once in an hour',
  calls: ['SET', 'read-billing-run'],
  settings: async () => ({ PERSISTENCE_TENANT_BILLING_INTERVAL_SECONDS: '3600' }),
  async prepare(app, direct) {
    const [, last] = await months(direct, 2);
    const keys = keysOf(direct);
    await direct.redis.sendAll(
      [
        ['DEL', keys.billingLooked()],
        ['SET', keys.billingClosed(), last?.name ?? ''],
      ],
      { kind: 'write' },
    );
    return {
      run: (signal) => app.billing.closeWhenDue(signal),
      verify: async (result) => expect(result).toMatchObject({ tenants: 0, finished: true }),
    };
  },
};

const closeFinal: Flow = {
  name: 'close the last invoice',
  calls: ['read-billing', 'close-period'],
  async prepare(app, direct) {
    const { tenant } = await newTenant(direct);
    const [current] = await months(direct, 1);
    return {
      run: (signal) => app.billing.closeFinal(tenant.id, signal),
      async verify(result) {
        expect(result).toMatchObject({ final: true, period: current?.name });
        expect(await direct.billing.list(tenant.id)).toEqual([result]);
      },
    };
  },
};

const listInvoices: Flow = {
  name: 'list invoices',
  calls: ['read-billing', 'HMGET'],
  async prepare(app, direct) {
    const made = await lastMonth(direct);
    await direct.billing.get(made.past.id);
    return {
      run: (signal) => app.billing.list(made.past.id, signal),
      verify: async (result) => expect(result).toMatchObject([{ period: made.last.name }]),
    };
  },
};

const adjust: Flow = {
  name: 'correct a bill',
  calls: ['add-adjustment', 'publish-change', 'ack-audit'],
  async prepare(app, direct) {
    const { tenant } = await newTenant(direct);
    const ulid = newUlid(Date.now());
    return {
      run: (signal) => app.billing.adjust(tenant.id, { amount_micros: -7, reason: 'r' }, { ulid, signal }),
      async verify() {
        const { lines } = await direct.billing.get(tenant.id);
        expect(lines.filter(({ key }) => key === 'adjustment').map(({ amount_micros }) => amount_micros)).toEqual([-7]);
        const keys = keysOf(direct);
        const pending = (await direct.redis.send(['LRANGE', keys.auditPending(), 0, -1], {
          kind: 'read',
        })) as readonly string[];
        expect(pending.filter((entry) => entry.includes(`adj-${ulid}`))).toHaveLength(1);
      },
    };
  },
};

export const billingFlows: readonly Flow[] = [
  readUsage,
  readInvoice,
  closeOnDemand,
  closeDue,
  lookForDue,
  closeFinal,
  listInvoices,
  adjust,
];
