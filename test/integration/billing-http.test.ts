/** Usage and billing through the door. */
import { beforeAll, describe, expect, it } from 'vitest';
import { TenantBillingResponse } from '../../lib/billing/contract.ts';
import { TenantUsageResponse } from '../../lib/usage/contract.ts';
import { ADMIN_KEY, newTenant } from '../support/app.ts';
import { months, tenantWithPast } from '../support/billing-state.ts';
import { type Door, openDoor } from '../support/door.ts';
import { expectProblem } from '../support/problem.ts';

let door: Door;
beforeAll(async () => {
  door = await openDoor();
});
const get = (target: string) => door.call({ target: `/admin/tenants/${target}`, key: ADMIN_KEY });
const post = (target: string, body: object, headers: Readonly<Record<string, string>> = {}) =>
  door.call({
    method: 'POST',
    target: `/admin/tenants/${target}`,
    key: ADMIN_KEY,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
const jsonOf = ({ body }: { body: Buffer }) => JSON.parse(body.toString('utf8'));

describe('GET /admin/tenants/{id}/usage [A6 T6]', () => {
  it('answers what its contract says, with a series when one is asked for', async () => {
    const { tenant } = await newTenant(door.app);
    for (const query of ['', '?step=minute', '?step=hour', '?step=day', '?from=2026-01-01T00:00:00Z']) {
      const reply = await get(`${tenant.id}/usage${query}`);
      expect(reply.status).toBe(200);
      expect(TenantUsageResponse.parse(jsonOf(reply)).series === null).toBe(query === '');
    }
  });

  it.each([
    'step=second',
    'from=yesterday',
    'form=2026-01-01T00:00:00Z',
    'from=2090-01-01T00:00:00Z',
    'step=day&from=2001-01-01T00:00:00Z',
  ])('refuses %s', async (query) => {
    const { tenant } = await newTenant(door.app);
    expectProblem(await get(`${tenant.id}/usage?${query}`), '400 invalid_request');
  });
});

describe('GET /admin/tenants/{id}/billing [A7 T7]', () => {
  it('answers the open month, a closed one, and another plan', async () => {
    const [, last] = await months(door.app, 2);
    const { id } = await tenantWithPast(door.app, { madeMs: last?.startMs ?? 0 });
    const now = TenantBillingResponse.parse(jsonOf(await get(`${id}/billing`)));
    expect(now).toMatchObject({ status: 'open', simulated_plan: null, closed_periods: [last?.name] });
    const closed = TenantBillingResponse.parse(jsonOf(await get(`${id}/billing?period=${last?.name}`)));
    expect(closed).toMatchObject({ status: 'closed', total_micros: 9_000_000, total: '9.000000' });
    const other = jsonOf(await get(`${id}/billing?period=${last?.name}&simulate_plan=professional`));
    expect(other).toMatchObject({ simulated_plan: 'professional', total_micros: 49_000_000 });
  });

  it('answers a table for a spreadsheet', async () => {
    const { tenant } = await newTenant(door.app);
    const reply = await get(`${tenant.id}/billing?format=csv`);
    expect(reply.headers['content-type']).toBe('text/csv; charset=utf-8');
    expect(reply.headers['content-disposition']).toMatch(/^attachment; filename="tenant-\w+-\d{4}-\d{2}\.csv"$/);
    expect(reply.body.toString('utf8').split('\r\n')).toHaveLength(9);
  });

  it('says in a table that it is a simulation, in its name and in every row', async () => {
    const { tenant } = await newTenant(door.app);
    const reply = await get(`${tenant.id}/billing?format=csv&simulate_plan=enterprise`);
    expect(reply.headers['content-disposition']).toMatch(/-\d{4}-\d{2}-simulated-enterprise\.csv"$/);
    const rows = reply.body.toString('utf8').trim().split('\r\n').slice(1);
    expect(new Set(rows.map((row) => row.split(',')[1]))).toEqual(new Set(['simulated']));
  });

  it.each(['period=2026-13', 'period=now', 'simulate_plan=gold', 'format=pdf', 'x=1'])('refuses %s', async (query) => {
    const { tenant } = await newTenant(door.app);
    expectProblem(await get(`${tenant.id}/billing?${query}`), '400 invalid_request');
  });

  it('has nothing for a month before the tenant, or to come', async () => {
    const { tenant } = await newTenant(door.app);
    for (const period of ['2020-01', '2999-12']) {
      expectProblem(await get(`${tenant.id}/billing?period=${period}`), '404 invoice_not_found');
    }
  });
});

describe('POST /admin/tenants/{id}/billing/adjustments [A7 T7]', () => {
  it('adds one correction for one Idempotency-Key', async () => {
    const { tenant } = await newTenant(door.app);
    const target = `${tenant.id}/billing/adjustments`;
    const key = { 'idempotency-key': 'credit-of-november' };
    const replies = [];
    for (let i = 0; i < 2; i++) replies.push(await post(target, { amount_micros: -5, reason: 'Credit' }, key));
    expect(replies.map(({ status }) => status)).toEqual([201, 201]);
    expect(jsonOf(replies[1] as never)).toEqual(jsonOf(replies[0] as never));
    const { lines } = jsonOf(await get(`${tenant.id}/billing`));
    expect(lines.filter(({ key: line }: { key: string }) => line === 'adjustment')).toHaveLength(1);
  });

  it.each([
    { amount_micros: 0, reason: 'r' },
    { amount_micros: 1.5, reason: 'r' },
    { amount_micros: 1e16, reason: 'r' },
    { amount_micros: '1', reason: 'r' },
    { amount_micros: 1 },
    { amount_micros: 1, reason: '' },
    { amount_micros: 1, reason: 'r', period: '2026-01' },
  ])('refuses %j', async (body) => {
    const { tenant } = await newTenant(door.app);
    expectProblem(await post(`${tenant.id}/billing/adjustments`, body), '400 invalid_request');
  });
});
