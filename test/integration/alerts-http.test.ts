/** Alerts as an administrator and a tenant meet them: over HTTP, from what the gate counted and refused. */
import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { beforeAll, describe, expect, it } from 'vitest';
import { AlertsResponse, TestAlertResponse } from '../../lib/alerts/contract.ts';
import { newUlid } from '../../lib/ids.ts';
import { WEBHOOK_SECRET } from '../support/alert-service.ts';
import { ADMIN_KEY, newTenant, newTenantRequest } from '../support/app.ts';
import { type Door, openDoor } from '../support/door.ts';
import { expectProblem } from '../support/problem.ts';
import { type WebhookReceiver, webhookReceiver } from '../support/webhook-receiver.ts';

let door: Door;
let receiver: WebhookReceiver;
beforeAll(async () => {
  door = await openDoor({ PERSISTENCE_ALERTS_WEBHOOK_SECRET: WEBHOOK_SECRET });
  receiver = await webhookReceiver();
});

const listed = async (id: string) => {
  const reply = await door.call({ target: `/admin/tenants/${id}/alerts`, key: ADMIN_KEY });
  expect(reply.status).toBe(200);
  return AlertsResponse.parse(JSON.parse(reply.body.toString()));
};

describe('a tenant that fills its memory [T10 T4]', () => {
  it('is told at 80 % and when a value was refused from there, each once, by a signed webhook', async () => {
    const url = receiver.url('/fills');
    const { tenant, key } = await newTenant(door.app, { quotas: { memory_bytes: 40_000 }, alert_webhook_url: url });
    const put = (name: string, bytes: number) =>
      door.call({
        method: 'PUT',
        target: `/cache/ns/${name}`,
        key,
        headers: { 'content-type': 'application/octet-stream' },
        body: randomBytes(bytes),
      });
    // Too large for the whole quota: that says nothing of the tenant's use, and must not take the month's 100 %.
    expectProblem(await put('b', 100_000), '507 memory_full');
    expect((await door.app.alerts.evaluate()).raised).toBe(0);
    expect((await put('a', 25_000)).status).toBe(201);
    await door.app.alerts.evaluate();
    expectProblem(await put('b', 100_000), '507 memory_full');
    expectProblem(await put('b', 100_000), '507 memory_full');
    await door.app.alerts.evaluate();
    await door.app.alerts.evaluate();
    await door.app.alerts.deliver();

    const { items, webhook } = await listed(tenant.id);
    expect(items.map(({ threshold_percent, refused, status }) => [threshold_percent, refused, status])).toEqual(
      expect.arrayContaining([
        [80, false, 'delivered'],
        [100, true, 'delivered'],
      ]),
    );
    expect(items).toHaveLength(2);
    for (const { body, headers } of receiver.received('/fills'))
      expect(new Webhook(webhook.signing_secret ?? '').verify(body, headers as Record<string, string>)).toMatchObject({
        data: { tenant_id: tenant.id, resource: 'memory_bytes', limit: 40_000 },
      });
    expect(receiver.received('/fills')).toHaveLength(2);
  });

  it('is told of operations that were refused, also of a quota of 0', async () => {
    const { tenant, key } = await newTenant(door.app, { quotas: { operations_per_minute: 0 } });
    expectProblem(await door.call({ target: '/cache/ns/a', key }), '429 quota_exceeded');
    await door.app.alerts.evaluate();
    expect((await listed(tenant.id)).items).toMatchObject([
      { resource: 'operations_per_minute', threshold_percent: 100, limit: 0, refused: true },
    ]);
  });

  it('is not told of calls that only came too fast', async () => {
    const { tenant, key } = await newTenant(door.app, {
      quotas: { operations_per_minute: 1_000 },
      rate_limit: { burst: 1 },
    });
    const replies = await Promise.all(Array.from({ length: 5 }, () => door.call({ target: '/cache/ns/a', key })));
    expect(replies.filter(({ status }) => status === 429).length).toBeGreaterThan(0);
    await door.app.alerts.evaluate();
    expect((await listed(tenant.id)).items).toEqual([]);
  });
});

describe('POST /admin/tenants/{id}/alerts/test [T10 A14]', () => {
  const test = (id: string, headers: Record<string, string> = {}) =>
    door.call({ method: 'POST', target: `/admin/tenants/${id}/alerts/test`, key: ADMIN_KEY, headers });

  it('sends a message now and tells what came of it; once for an Idempotency-Key', async () => {
    const { tenant } = await newTenant(door.app, { alert_webhook_url: receiver.url('/tries') });
    receiver.answer('/tries', 500);
    const key = { 'idempotency-key': newUlid(Date.now()) };
    const [first, second] = [await test(tenant.id, key), await test(tenant.id, key)];
    expect(first.status).toBe(200);
    const answer = TestAlertResponse.parse(JSON.parse(first.body.toString()));
    expect(answer).toMatchObject({ delivered: false, delivery: { status: 500, error: 'refused' } });
    expect(second.body.toString()).toBe(first.body.toString());
    expect(receiver.received('/tries')).toHaveLength(1);
    expect(receiver.received('/tries')[0]?.headers['webhook-id']).toBe(answer.message_id);
  });

  it('says what is missing', async () => {
    const { tenant } = await newTenant(door.app);
    const reply = await test(tenant.id);
    expectProblem(reply, '409 webhook_not_set');
    expect(JSON.parse(reply.body.toString())).toMatchObject({ details: { problem: 'no_url' } });
    expectProblem(await test(`tenant-${newUlid(1)}`), '404 tenant_not_found');
  });
});

describe("a tenant's alert_webhook_url [T10 T1]", () => {
  it.each([
    'http://hooks.example.com/',
    'https://user:secret@hooks.example.com/',
    'ftp://hooks.example.com/',
    'https://hooks.example.com/#a',
    'nowhere',
  ])('is refused where nothing would be sent: %s', async (alert_webhook_url) => {
    const body = JSON.stringify({ ...newTenantRequest(), alert_webhook_url });
    const headers = { 'content-type': 'application/json' };
    const reply = await door.call({ method: 'POST', target: '/admin/tenants', key: ADMIN_KEY, headers, body });
    expectProblem(reply, '400 invalid_request');
    expect(reply.body.toString()).toContain('body.alert_webhook_url');
    expect(reply.body.toString()).not.toContain('secret@');
  });
});

describe('GET /admin/tenants/{id}/alerts [T10]', () => {
  it('of no such tenant: 404', async () => {
    const target = `/admin/tenants/tenant-${newUlid(1)}/alerts`;
    expectProblem(await door.call({ target, key: ADMIN_KEY }), '404 tenant_not_found');
  });
});
