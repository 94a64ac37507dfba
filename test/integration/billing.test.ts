/** Invoices on real Redis: closed once, whoever comes and however often; corrections; another plan. */
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { Invoice } from '../../lib/billing/contract.ts';
import { packInvoice } from '../../lib/billing/invoice-format.ts';
import { markField, packMark } from '../../lib/billing/segments.ts';
import type { Period } from '../../lib/gate/period.ts';
import { newUlid } from '../../lib/ids.ts';
import { newTenantRequest, TRANSPORTS, testApp } from '../support/app.ts';
import { months, type Past, tenantWithPast, textOf } from '../support/billing-state.ts';
import { keysOf } from '../support/tenant-state.ts';

const DAY_MS = 86_400_000;
const READ = { kind: 'read' } as const;
const WRITE = { kind: 'write' } as const;
const ownPrefix = (more: Readonly<Record<string, string>> = {}) => ({
  PERSISTENCE_CACHE_KEY_PREFIX: `b-${randomUUID().slice(0, 8)}`,
  PERSISTENCE_LOG_LEVEL: 'error',
  ...more,
});

let app: App;
let current: Period;
let last: Period;
let before: Period;
beforeAll(async () => {
  app = await testApp({ env: ownPrefix() });
  [current, last, before] = (await months(app, 3)) as [Period, Period, Period];
});

/** Made 10 days into the month before the last; 100 operations in it, 150 in the last, 50 since. */
async function withPast(on: App = app): Promise<Past> {
  const past = await tenantWithPast(on, { madeMs: before.startMs + 10 * DAY_MS });
  await past.setPoint(before.startMs + 20 * DAY_MS, { operations: 100 });
  await past.setPoint(last.startMs + 20 * DAY_MS, { operations: 250 });
  await past.setCounters(current.startMs, { operations: 300 });
  return past;
}
const operations = (invoice: { segments: readonly { operations: string }[] } | null) =>
  invoice?.segments.map((segment) => Number(segment.operations));

describe.each(TRANSPORTS)('invoices over %s [T7 A7]', (transport) => {
  it('are closed for the months that have ended, and open for this one', async () => {
    const on = await testApp({ transport, env: ownPrefix() });
    const { id } = await withPast(on);
    const now = await on.billing.get(id);
    expect(now).toMatchObject({ period: current.name, status: 'open', closed_periods: [before.name, last.name] });
    expect(operations(now)).toEqual([50]);
    expect(operations(await on.billing.get(id, { period: last }))).toEqual([150]);
    const first = await on.billing.get(id, { period: before });
    expect(first).toMatchObject({ status: 'closed', from: new Date(before.startMs + 10 * DAY_MS).toISOString() });
    expect(operations(first)).toEqual([100]);
    expect((await on.billing.list(id)).map(({ period }) => period)).toEqual([before.name, last.name]);
  });
});

describe('a closed invoice [T7]', () => {
  it('never changes, whoever comes late', async () => {
    const past = await withPast();
    const closed = await app.billing.get(past.id, { period: last });
    await past.setPoint(last.startMs + 20 * DAY_MS, { operations: 9_999 });
    await app.billing.closeDue();
    expect(await app.billing.get(past.id, { period: last })).toEqual(closed);
  });

  it('is the same for all who close it at the same time', async () => {
    const past = await withPast();
    const all = await Promise.all(Array.from({ length: 20 }, () => app.billing.get(past.id, { period: last })));
    expect(new Set(all.map((invoice) => JSON.stringify(invoice))).size).toBe(1);
  });

  it('has lines that add up to what it says, and what was used under other plans', async () => {
    const past = await withPast();
    const atMs = last.startMs + 5 * DAY_MS;
    await past.setBilling(markField(atMs), packMark('enterprise', textOf(atMs, { operations: 110 })));
    const invoice = await app.billing.get(past.id, { period: last });
    expect(invoice.segments.map(({ plan }) => plan)).toEqual(['enterprise', 'starter']);
    expect(operations(invoice)).toEqual([10, 140]);
    expect(invoice.lines.reduce((sum, line) => sum + line.amount_micros, 0)).toBe(invoice.total_micros);
    expect(Object.keys(await past.billing())).not.toContain(markField(atMs));
  });

  it('is cut where the plan was changed through the API', async () => {
    const past = await withPast();
    await app.billing.closeDue();
    const { segments } = await app.billing.get(past.id);
    await app.tenantAdmin.update(past.id, { plan: 'enterprise' }, {});
    const after = await app.billing.get(past.id);
    expect(segments.map(({ plan }) => plan)).toEqual(['starter']);
    expect(after.segments.map(({ plan }) => plan)).toEqual(['starter', 'enterprise']);
    expect(operations(after)).toEqual([50, 0]);
  });

  it('is none for a month the tenant was not there in', async () => {
    const { id } = await withPast();
    const [, , , older] = await months(app, 4);
    await expect(app.billing.get(id, { period: older })).rejects.toMatchObject({ code: 'invoice_not_found' });
  });

  it('can be looked at under another plan, which changes nothing', async () => {
    const past = await withPast();
    const closed = await app.billing.get(past.id, { period: last });
    const other = await app.billing.get(past.id, { period: last, simulatePlan: 'enterprise' });
    expect(other).toMatchObject({ simulated_plan: 'enterprise', total_micros: 499_000_000 });
    expect(await app.billing.get(past.id, { period: last })).toEqual(closed);
  });
});

describe('closing [T7]', () => {
  it('closes all tenants once; then one look tells that there is nothing to do', async () => {
    const on = await testApp({ env: ownPrefix() });
    const pasts = await Promise.all(Array.from({ length: 3 }, () => withPast(on)));
    await on.tenants.create(newTenantRequest());
    expect(await on.billing.closeDue()).toEqual({ tenants: 4, closed: 6, behind: 0, finished: true });
    expect(await on.billing.closeDue()).toEqual({ tenants: 0, closed: 0, behind: 0, finished: true });
    for (const { id } of pasts) expect(operations(await on.billing.get(id, { period: last }))).toEqual([150]);
  });

  it('ends the same when many runs are on at once', async () => {
    const on = await testApp({ env: ownPrefix() });
    const past = await withPast(on);
    const reports = await Promise.all(Array.from({ length: 8 }, () => on.billing.closeDue()));
    expect(reports.reduce((sum, { closed }) => sum + closed, 0)).toBe(2);
    expect(Object.keys(await past.billing()).sort()).toEqual([`inv:${before.name}`, `inv:${last.name}`]);
  });

  it('makes up for months in which nobody ran', async () => {
    const on = await testApp({ env: ownPrefix() });
    const all = await months(on, 15);
    const past = await tenantWithPast(on, { madeMs: (all[14] as Period).startMs + DAY_MS });
    await past.setCounters((all[12] as Period).startMs + DAY_MS, { operations: 7 });
    expect(await on.billing.closeDue()).toMatchObject({ tenants: 1, closed: 14, behind: 0 });
    const invoices = await on.billing.list(past.id);
    expect(invoices.flatMap((invoice) => operations(invoice))).toEqual([0, 0, 7, ...Array(11).fill(0)]);
  });

  it('is held up by no tenant it cannot read, and catches up with it later', async () => {
    const on = await testApp({ env: ownPrefix() });
    const [bad, good] = [await withPast(on), await withPast(on)];
    const text = await bad.gate.read('m');
    await bad.gate.write('m', 'damaged');
    expect(await on.billing.closeDue()).toEqual({ tenants: 2, closed: 2, behind: 1, finished: true });
    expect(await on.billing.closeDue()).toEqual({ tenants: 1, closed: 0, behind: 1, finished: true });
    await bad.gate.write('m', text);
    expect(await on.billing.closeDue()).toEqual({ tenants: 1, closed: 2, behind: 0, finished: true });
    expect(await on.billing.closeDue()).toEqual({ tenants: 0, closed: 0, behind: 0, finished: true });
    expect(await on.billing.get(bad.id, { period: last })).toMatchObject({
      total_micros: (await on.billing.get(good.id, { period: last })).total_micros,
    });
  });

  it('waits for its interval when that is more than the beat of the schedule', async () => {
    const on = await testApp({ env: ownPrefix({ PERSISTENCE_TENANT_BILLING_INTERVAL_SECONDS: '3600' }) });
    await withPast(on);
    expect(await on.billing.closeWhenDue()).toMatchObject({ tenants: 1, closed: 2 });
    await on.redis.send(['DEL', keysOf(on).billingClosed()], WRITE);
    expect(await on.billing.closeWhenDue()).toMatchObject({ tenants: 0 });
    const leftMs = Number(await on.redis.send(['PTTL', keysOf(on).billingLooked()], READ));
    expect(leftMs > 3_500_000 && leftMs <= 3_570_000).toBe(true);
  });

  it('does nothing where billing is off, and says so', async () => {
    const on = await testApp({ env: ownPrefix({ PERSISTENCE_TENANT_ENABLE_BILLING: 'false' }) });
    const past = await withPast(on);
    expect(await on.billing.closeDue()).toMatchObject({ tenants: 0, closed: 0 });
    expect(await on.billing.closeFinal(past.id)).toBeNull();
    expect(await past.billing()).toEqual({});
    const refused = { code: 'billing_disabled' };
    await expect(on.billing.get(past.id)).rejects.toMatchObject(refused);
    await expect(on.billing.adjust(past.id, { amount_micros: 1, reason: 'r' })).rejects.toMatchObject(refused);
  });
});

describe('a correction [T7 T11]', () => {
  it('is on the current month, then on its closed invoice, and on no other', async () => {
    const on = await testApp({ env: ownPrefix() });
    const past = await withPast(on);
    const made = await on.billing.adjust(past.id, { amount_micros: -2_000_000, reason: 'Outage' });
    expect((await on.billing.get(past.id)).lines.at(-1)).toMatchObject({
      key: 'adjustment',
      amount_micros: -2_000_000,
      adjustment: { id: made.id, reason: 'Outage' },
    });
    // As if it had been made a month ago, and that month were still open.
    const field = `adj:${made.id.slice(4)}`;
    await past.setBilling(field, `a1,${last.startMs + DAY_MS},-2000000,-\n"Outage"`);
    await on.redis.send(['HDEL', keysOf(on).billing(past.id), `inv:${last.name}`], WRITE);
    const closed = await on.billing.get(past.id, { period: last });
    expect(closed.lines.filter(({ key }) => key === 'adjustment')).toHaveLength(1);
    expect((await on.billing.get(past.id)).lines.filter(({ key }) => key === 'adjustment')).toHaveLength(0);
    expect((await past.billing())[field]).toContain(`,${last.name}\n`);
  });

  it('is added once, however often its call is repeated, also after its month was closed', async () => {
    const past = await withPast();
    const ulid = newUlid(Date.now());
    const request = { amount_micros: 5, reason: 'Again' };
    const first = await app.billing.adjust(past.id, request, { ulid });
    expect(await app.billing.adjust(past.id, request, { ulid })).toEqual(first);
    await past.setBilling(`adj:${ulid}`, `a1,${last.startMs},5,${last.name}\n"Again"`);
    expect(await app.billing.adjust(past.id, request, { ulid })).toMatchObject({ period: last.name });
    expect(Object.keys(await past.billing()).filter((field) => field.startsWith('adj:'))).toHaveLength(1);
  });

  it('is in the audit log, without its reason', async () => {
    const past = await withPast();
    const { id } = await app.billing.adjust(past.id, { amount_micros: 5, reason: 'Between us' });
    const page = await app.audit.list({
      limit: 10,
      order: 'desc',
      tenantId: past.id,
      action: 'billing.adjust',
    } as never);
    const [line] = page.lines;
    expect(line?.entry).toMatchObject({ tenant_id: past.id, details: { adjustment_id: id, amount_micros: 5 } });
    expect(line?.text).not.toContain('Between us');
  });

  it('of a tenant that does not exist is refused', async () => {
    const nobody = (await withPast()).id.replace(/.$/, (letter) => (letter === '0' ? '1' : '0')) as Past['id'];
    await expect(app.billing.adjust(nobody, { amount_micros: 1, reason: 'r' })).rejects.toMatchObject({
      code: 'tenant_not_found',
    });
    await expect(app.billing.get(nobody)).rejects.toMatchObject({ code: 'tenant_not_found' });
  });
});

describe('the last invoice [T7 T9]', () => {
  it('is the last one also where the erasure ends in another month', async () => {
    const on = await testApp({ env: ownPrefix() });
    const past = await withPast(on);
    const final = { ...((await on.billing.get(past.id, { period: last })) as Invoice), final: true };
    await past.setBilling(`inv:${last.name}`, packInvoice(final));
    expect(await on.billing.closeFinal(past.id)).toMatchObject({ period: last.name, final: true });
    await expect(on.billing.get(past.id)).rejects.toMatchObject({ code: 'invoice_not_found' });
    expect(Object.keys(await past.billing()).sort()).toEqual([`inv:${before.name}`, `inv:${last.name}`]);
  });

  it('is of the month so far, with what is not yet billed, and stays', async () => {
    const past = await withPast();
    await app.billing.adjust(past.id, { amount_micros: -1, reason: 'r' });
    const final = await app.billing.closeFinal(past.id);
    expect(final).toMatchObject({ period: current.name, status: 'closed', final: true });
    expect(operations(final)).toEqual([50]);
    expect(final?.lines.at(-1)).toMatchObject({ key: 'adjustment', amount_micros: -1 });
    expect(await app.billing.closeFinal(past.id)).toEqual(final);
    await app.redis.send(['DEL', keysOf(app).record(past.id), keysOf(app).gate(past.id)], WRITE);
    expect(await app.billing.closeFinal(past.id)).toEqual(final);
    expect(await app.billing.get(past.id)).toMatchObject({
      final: true,
      closed_periods: [before.name, last.name, current.name],
    });
    expect(await app.billing.list(past.id)).toHaveLength(3);
  });
});
