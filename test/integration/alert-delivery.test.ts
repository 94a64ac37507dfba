/** Alerts reach a receiver, whatever it does; and end where it never takes them. */
import { Webhook } from 'standardwebhooks';
import { beforeAll, describe, expect, it } from 'vitest';
import { packAlert } from '../../lib/alerts/alert-format.ts';
import { ATTEMPTS_AFTER_MS } from '../../lib/alerts/delivery-policy.ts';
import { tenantSecret } from '../../lib/alerts/webhook-signature.ts';
import { newUlid, type TenantId } from '../../lib/ids.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { alertService, dueOf, MINUTE_MS, quietTenant, setUse, WEBHOOK_SECRET } from '../support/alert-service.ts';
import { TRANSPORTS } from '../support/app.ts';
import { type WebhookReceiver, webhookReceiver } from '../support/webhook-receiver.ts';

let receiver: WebhookReceiver;
beforeAll(async () => {
  telemetry.logger.setLogLevel('SILENT');
  receiver = await webhookReceiver();
});

type Service = Awaited<ReturnType<typeof alertService>>;

/** A tenant with a webhook, and one alert raised. */
async function alerted(service: Service, path: string): Promise<TenantId> {
  const id = await quietTenant(service.app, { alert_webhook_url: receiver.url(path) });
  await setUse(service.app, id, { memory: 850 }, service.clock.nowMs);
  expect((await service.alerts.evaluate()).raised).toBe(1);
  return id;
}

const only = async ({ alerts }: Service, id: TenantId) => {
  const [alert, ...more] = (await alerts.list(id)).items;
  if (alert === undefined || more.length > 0) throw new Error('expected one alert');
  return alert;
};

describe.each(TRANSPORTS)('a webhook, over %s [T10]', (transport) => {
  it('says what happened, signed as any library of the standard checks it, once', async () => {
    const service = await alertService({ transport });
    const path = `/said-${transport}`;
    const id = await alerted(service, path);
    expect(await service.alerts.deliver()).toEqual({ delivered: 1, failed: 0, waiting: 0, finished: true });
    expect(await service.alerts.deliver()).toEqual({ delivered: 0, failed: 0, waiting: 0, finished: true });

    const alert = await only(service, id);
    const [message, ...more] = receiver.received(path);
    expect(more).toEqual([]);
    const { webhook } = await service.alerts.list(id);
    expect(webhook).toEqual({
      url: receiver.url(path),
      source: 'tenant',
      signing_secret: tenantSecret(WEBHOOK_SECRET, id),
      problem: null,
    });
    const headers = message?.headers as Record<string, string>;
    expect(new Webhook(webhook.signing_secret ?? '').verify(message?.body ?? '', headers)).toEqual({
      type: 'quota.threshold_reached',
      timestamp: alert.created_at,
      data: {
        tenant_id: id,
        resource: 'memory_bytes',
        threshold_percent: 80,
        used: 850,
        limit: 1_000,
        period: alert.period,
        refused: false,
      },
    });
    expect(headers).toMatchObject({ 'webhook-id': alert.id, 'content-type': 'application/json' });
    expect(alert).toMatchObject({ status: 'delivered', next_attempt_at: null });
    expect(alert.deliveries).toEqual([
      { at: expect.any(String), status: 204, error: null, duration_ms: expect.any(Number) },
    ]);
    expect(await dueOf(service)).toEqual([]);
  });
});

describe('a receiver that does not take it [T10]', () => {
  it.each([
    { answer: 500, status: 500, error: 'refused' },
    { answer: 404, status: 404, error: 'refused' },
    { answer: 302, status: 302, error: 'redirect' },
    { answer: 'cut', status: null, error: expect.any(String) },
    { answer: 'hang', status: null, error: 'timeout' },
  ] as const)(
    'answers $answer: tried again after a minute, with the same id and body',
    async ({ answer, status, error }) => {
      const service = await alertService({ timeoutMs: answer === 'hang' ? 100 : 2_000 });
      const path = `/refuses-${answer}`;
      receiver.answer(path, answer, 200);
      const id = await alerted(service, path);
      expect(await service.alerts.deliver()).toMatchObject({ delivered: 0, failed: 1 });
      const raisedMs = service.clock.nowMs;
      expect(await only(service, id)).toMatchObject({
        status: 'pending',
        next_attempt_at: new Date(raisedMs + MINUTE_MS).toISOString(),
        deliveries: [{ status, error }],
      });
      service.clock.nowMs += MINUTE_MS - 1;
      expect(await service.alerts.deliver()).toMatchObject({ delivered: 0, failed: 0 });
      service.clock.nowMs += 1;
      expect(await service.alerts.deliver()).toMatchObject({ delivered: 1, failed: 0 });
      expect(await only(service, id)).toMatchObject({ status: 'delivered', deliveries: [{ status }, { status: 200 }] });
      const [first, second] = receiver.received(path);
      expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
      expect(second?.body).toBe(first?.body);
      expect(receiver.received('/redirected')).toEqual([]);
    },
  );

  it('is tried eight times within a day, and then no more', async () => {
    const service = await alertService();
    receiver.answer('/never', 503);
    const id = await alerted(service, '/never');
    const raisedMs = service.clock.nowMs;
    for (const afterMs of ATTEMPTS_AFTER_MS) {
      service.clock.nowMs = raisedMs + afterMs;
      expect(await service.alerts.deliver()).toMatchObject({ failed: 1 });
    }
    const alert = await only(service, id);
    expect(alert).toMatchObject({ status: 'failed', next_attempt_at: null });
    expect(alert.deliveries.map(({ at }) => Date.parse(at) - raisedMs)).toEqual(ATTEMPTS_AFTER_MS);
    expect(await dueOf(service)).toEqual([]);
    service.clock.nowMs += 100 * 86_400_000;
    expect(await service.alerts.deliver()).toMatchObject({ failed: 0 });
    expect(receiver.received('/never')).toHaveLength(8);
  });

  it('answers 410: not tried again', async () => {
    const service = await alertService();
    receiver.answer('/gone', 410);
    const id = await alerted(service, '/gone');
    await service.alerts.deliver();
    expect(await only(service, id)).toMatchObject({ status: 'stopped', next_attempt_at: null });
    expect(await dueOf(service)).toEqual([]);
  });

  it('writes an answer without end: its status counts', async () => {
    const service = await alertService();
    receiver.answer('/endless', 'endless');
    const id = await alerted(service, '/endless');
    expect(await service.alerts.deliver()).toMatchObject({ delivered: 1 });
    expect(await only(service, id)).toMatchObject({ status: 'delivered' });
  });

  it('is not there: told without the address', async () => {
    const service = await alertService();
    const id = await quietTenant(service.app, { alert_webhook_url: 'http://127.0.0.1:1/secret-path' });
    await setUse(service.app, id, { memory: 500 }, service.clock.nowMs);
    await service.alerts.evaluate();
    await service.alerts.deliver();
    const { deliveries } = await only(service, id);
    expect(deliveries).toMatchObject([{ status: null }]);
    expect(deliveries[0]?.error).toMatch(/^[a-z_]+$/);
  });
});

describe('a receiver that hangs [T10]', () => {
  it('holds up the others by no more than its timeout, and gets no second one in a pass', async () => {
    const timeoutMs = 300;
    const service = await alertService({ timeoutMs });
    receiver.answer('/hangs', 'hang');
    const slow = await Promise.all(
      Array.from({ length: 30 }, () => quietTenant(service.app, { alert_webhook_url: receiver.url('/hangs') })),
    );
    const quick = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        quietTenant(service.app, { alert_webhook_url: receiver.url(`/quick-${i % 3}`) }),
      ),
    );
    for (const id of [...slow, ...quick]) await setUse(service.app, id, { memory: 500 }, service.clock.nowMs);
    expect((await service.alerts.evaluate()).raised).toBe(60);
    // Eight at once to one receiver, and no more after they took its time.
    expect(await service.alerts.deliver()).toEqual({ delivered: 30, failed: 8, waiting: 22, finished: true });
    expect(receiver.received('/hangs')).toHaveLength(8);
    service.clock.nowMs += 30_000;
    expect(await service.alerts.deliver()).toEqual({ delivered: 0, failed: 8, waiting: 14, finished: true });
  });
});

describe('where there is no webhook [T10]', () => {
  it('the alert is kept, and not sent', async () => {
    const service = await alertService();
    const id = await quietTenant(service.app);
    await setUse(service.app, id, { memory: 500 }, service.clock.nowMs);
    await service.alerts.evaluate();
    await service.alerts.deliver();
    expect(await only(service, id)).toMatchObject({ status: 'not_sent', next_attempt_at: null, deliveries: [] });
    expect((await service.alerts.list(id)).webhook).toEqual({
      url: null,
      source: null,
      signing_secret: null,
      problem: 'no_url',
    });
    expect(await dueOf(service)).toEqual([]);
  });

  it("the deployment's is used, and its secret is not shown", async () => {
    const service = await alertService({ env: { PERSISTENCE_ALERTS_WEBHOOK_URL: receiver.url('/everyone') } });
    const id = await quietTenant(service.app);
    await setUse(service.app, id, { memory: 500 }, service.clock.nowMs);
    await service.alerts.evaluate();
    await service.alerts.deliver();
    const [message] = receiver.received('/everyone');
    expect(
      new Webhook(WEBHOOK_SECRET).verify(message?.body ?? '', message?.headers as Record<string, string>),
    ).toMatchObject({
      data: { tenant_id: id },
    });
    expect((await service.alerts.list(id)).webhook).toMatchObject({ source: 'deployment', signing_secret: null });
  });

  it('nothing is sent without a secret', async () => {
    const service = await alertService({ env: { PERSISTENCE_ALERTS_WEBHOOK_SECRET: '' } });
    const id = await quietTenant(service.app, { alert_webhook_url: receiver.url('/unsigned') });
    await setUse(service.app, id, { memory: 500 }, service.clock.nowMs);
    await service.alerts.evaluate();
    await service.alerts.deliver();
    expect(receiver.received('/unsigned')).toEqual([]);
    expect((await service.alerts.list(id)).webhook.problem).toBe('no_secret');
    await expect(service.alerts.sendTest(id, { ulid: newUlid(1) })).rejects.toMatchObject({
      code: 'webhook_not_set',
      details: { problem: 'no_secret' },
    });
  });
});

describe('a test message [T10]', () => {
  it('is sent once, and what came of it is told', async () => {
    const service = await alertService();
    const id = await quietTenant(service.app, { alert_webhook_url: receiver.url('/tested') });
    receiver.answer('/tested', 200, 500);
    const ulid = newUlid(Date.now());
    expect(await service.alerts.sendTest(id, { ulid })).toMatchObject({
      message_id: `test-${ulid}`,
      url: receiver.url('/tested'),
      delivered: true,
      delivery: { status: 200, error: null },
    });
    expect(await service.alerts.sendTest(id, { ulid })).toMatchObject({ delivered: false, delivery: { status: 500 } });
    const [message] = receiver.received('/tested');
    const headers = message?.headers as Record<string, string>;
    expect(new Webhook(tenantSecret(WEBHOOK_SECRET, id)).verify(message?.body ?? '', headers)).toMatchObject({
      type: 'webhook.test',
      data: { tenant_id: id },
    });
    expect((await service.alerts.list(id)).items).toEqual([]);
  });
});

describe('the list of deliveries [T10]', () => {
  it('loses nothing and sends nothing twice when ten passes run at once', async () => {
    const service = await alertService();
    const others = await Promise.all(Array.from({ length: 9 }, () => alertService({ beside: service })));
    for (const { clock } of others) clock.nowMs = service.clock.nowMs;
    const paths = Array.from({ length: 25 }, (_, i) => `/parallel-${i}`);
    const ids = await Promise.all(
      paths.map((path) => quietTenant(service.app, { alert_webhook_url: receiver.url(path) })),
    );
    for (const id of ids) await setUse(service.app, id, { memory: 500 }, service.clock.nowMs);
    await service.alerts.evaluate();
    await Promise.all([service, ...others].map(({ alerts }) => alerts.deliver()));
    for (const path of paths) expect(receiver.received(path)).toHaveLength(1);
  });

  it('forgets what cannot be read, whose tenant is gone, or that was never raised within an hour', async () => {
    const service = await alertService();
    const { app, keys, clock, alerts } = service;
    const id = await quietTenant(app);
    const [old, fresh, damaged] = [clock.nowMs - 3_600_001, clock.nowMs, clock.nowMs].map((at) => `al-${newUlid(at)}`);
    await app.redis.send(['HSET', keys.alerts(id), `${damaged}`, '{}'], { kind: 'write' });
    const members = ['nonsense', `tenant-${newUlid(1)},${fresh}`, `${id},${old}`, `${id},${fresh}`, `${id},${damaged}`];
    await app.redis.send(['ZADD', keys.alertsDue(), ...members.flatMap((member) => [0, member])], { kind: 'write' });
    await alerts.deliver();
    expect(await dueOf(service)).toEqual([`${id},${fresh}`, String(clock.nowMs + MINUTE_MS)]);
  });

  it('does not bring back an alert that was removed while it was sent', async () => {
    const service = await alertService({
      failpoint: async ({ port, phase }) => {
        if (port === 'webhooks' && phase === 'after') await remove();
      },
    });
    const id = await alerted(service, '/removed');
    const { app, keys, alerts } = service;
    const { id: alertId } = await only(service, id);
    const remove = () => app.redis.send(['HDEL', keys.alerts(id), alertId], { kind: 'write' });
    await alerts.deliver();
    expect((await alerts.list(id)).items).toEqual([]);
    service.clock.nowMs += 2 * 3_600_000;
    await alerts.deliver();
    expect(await dueOf(service)).toEqual([]);
  });

  it('keeps the alert of another pass that knew more', async () => {
    const service = await alertService({
      failpoint: async ({ port, phase }) => {
        if (port === 'webhooks' && phase === 'after') await overtake();
      },
    });
    const id = await alerted(service, '/overtaken');
    const { app, keys, alerts } = service;
    const alert = await only(service, id);
    const done = packAlert({ ...alert, status: 'stopped', next_attempt_at: null });
    const overtake = () => app.redis.send(['HSET', keys.alerts(id), alert.id, done], { kind: 'write' });
    await alerts.deliver();
    expect(await only(service, id)).toMatchObject({ status: 'stopped', deliveries: [] });
  });

  it('gives back what a pass took that was cut off in the middle of it', async () => {
    const cut = new AbortController();
    const service = await alertService({ failpoint: ({ port }) => void (port === 'webhooks' && cut.abort()) });
    const id = await alerted(service, '/cut-off');
    await service.alerts.deliver(cut.signal).catch(() => undefined);
    expect((await only(service, id)).deliveries).toEqual([]);
    service.clock.nowMs += 3 * MINUTE_MS;
    expect(await service.alerts.deliver()).toMatchObject({ delivered: 1 });
  });
});
