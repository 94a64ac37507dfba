/** Quota alerts: raised, sent, listed; and the calls each takes. */
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { App } from '../../../lib/app.ts';
import type { TenantId } from '../../../lib/ids.ts';
import { setUse, WEBHOOK_SECRET } from '../alert-service.ts';
import { newTenantRequest } from '../app.ts';
import { keysOf } from '../tenant-state.ts';
import { type WebhookReceiver, webhookReceiver } from '../webhook-receiver.ts';
import type { Flow } from './flow.ts';

let receiving: Promise<WebhookReceiver> | undefined;
/** One for all flows; its paths are the tenants' own. */
const receiver = () => {
  receiving ??= webhookReceiver();
  return receiving;
};

const settings = async () => ({ PERSISTENCE_ALERTS_WEBHOOK_SECRET: WEBHOOK_SECRET });

/** A tenant at 85 % of its memory. */
async function fullTenant(direct: App, changes: object = {}): Promise<TenantId> {
  const { id } = await direct.tenants.create(newTenantRequest({ quotas: { memory_bytes: 1_000 }, ...changes }));
  await setUse(direct, id, { memory: 850 }, Date.now());
  return id;
}

const members = async (direct: App): Promise<readonly string[]> =>
  (await direct.redis.send(['ZRANGE', keysOf(direct).alertsDue(), 0, -1], { kind: 'read' })) as readonly string[];

const evaluateAlerts: Flow = {
  name: 'evaluate alerts',
  calls: ['HGETALL', 'ZRANGE', 'HMGET', 'HMGET', 'ZADD', 'raise-alert', 'forget-refusals'],
  async prepare(app, direct) {
    const id = await fullTenant(direct);
    const refusals = keysOf(direct).refusals();
    await direct.redis.send(['HSET', refusals, `${id},storage_bytes`, Date.now()], { kind: 'write' });
    return {
      run: (signal) => app.alerts.evaluate(signal),
      async verify() {
        const { items } = await direct.alerts.list(id);
        expect(items.map(({ resource, threshold_percent }) => `${resource} ${threshold_percent}`).sort()).toEqual([
          'memory_bytes 80',
          'storage_bytes 100',
        ]);
        expect(await members(direct)).toEqual(expect.arrayContaining(items.map((alert) => `${id},${alert.id}`)));
        expect(await direct.redis.send(['HLEN', refusals], { kind: 'read' })).toBe(0);
      },
    };
  },
};

const deliverAlerts: Flow = {
  name: 'deliver alerts',
  calls: ['claim-due-alerts', 'GET', 'HGET', 'webhooks post', 'replace-alert', 'ZREM'],
  settings,
  async prepare(app, direct) {
    const { url, received } = await receiver();
    const path = `/${randomUUID()}`;
    const id = await fullTenant(direct, { alert_webhook_url: url(path) });
    await direct.alerts.evaluate();
    const [alert] = (await direct.alerts.list(id)).items;
    const member = `${id},${alert?.id}`;
    return {
      async run(signal) {
        // As when the claim of a pass that ended has ended, too.
        await direct.redis.send(['ZADD', keysOf(direct).alertsDue(), 0, member], { kind: 'write' });
        return app.alerts.deliver(signal);
      },
      async verify() {
        const ids = received(path).map(({ headers }) => headers['webhook-id']);
        expect(new Set(ids)).toEqual(new Set([alert?.id]));
        const { items } = await direct.alerts.list(id);
        expect(items).toMatchObject([{ status: 'delivered', deliveries: [{ status: 204 }] }]);
        expect(await members(direct)).not.toContain(member);
      },
    };
  },
};

const noteRefusal: Flow = {
  name: 'note refusal',
  calls: ['HSET'],
  async prepare(app, direct) {
    const { id } = await direct.tenants.create(newTenantRequest());
    return {
      run: () => app.alerts.noteRefusal(id, 'memory_bytes'),
      async verify() {
        const field = ['HGET', keysOf(direct).refusals(), `${id},memory_bytes`] as const;
        expect(Number(await direct.redis.send(field, { kind: 'read' }))).toBeGreaterThan(0);
      },
    };
  },
};

const listAlerts: Flow = {
  name: 'list alerts',
  calls: ['GET', 'HGETALL'],
  async prepare(app, direct) {
    const { id } = await direct.tenants.create(newTenantRequest());
    return {
      run: (signal) => app.alerts.list(id, { signal }),
      verify: async (result) => expect(result).toMatchObject({ items: [], webhook: { problem: 'no_url' } }),
    };
  },
};

const sendTestAlert: Flow = {
  name: 'send test alert',
  calls: ['GET', 'webhooks post'],
  settings,
  async prepare(app, direct) {
    const { url } = await receiver();
    const { id } = await direct.tenants.create(newTenantRequest({ alert_webhook_url: url('/tested') }));
    return {
      run: (signal) => app.alerts.sendTest(id, { ulid: id.slice(7), signal }),
      verify: async (result) => expect(result).toMatchObject({ delivered: true, delivery: { status: 204 } }),
    };
  },
};

export const alertFlows: readonly Flow[] = [evaluateAlerts, deliverAlerts, noteRefusal, listAlerts, sendTestAlert];
