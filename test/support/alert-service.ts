/** Alerts of a deployment of its own, with a clock the test moves. */
import { createAlerts } from '../../lib/alerts/alerts.ts';
import { createWebhookSender, withWebhookFailpoints } from '../../lib/alerts/webhook-sender.ts';
import type { App } from '../../lib/app.ts';
import type { TenantId } from '../../lib/ids.ts';
import { newUlid } from '../../lib/ids.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';
import { createTenantReader } from '../../lib/tenants/tenant-reader.ts';
import { newTenantRequest, type Transport, testApp } from './app.ts';
import { gateState } from './gate-state.ts';
import { keysOf } from './tenant-state.ts';

export const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
export const MINUTE_MS = 60_000;

export type AlertService = Awaited<ReturnType<typeof alertService>>;

export async function alertService(
  options: {
    readonly transport?: Transport;
    readonly env?: Readonly<Record<string, string>>;
    readonly timeoutMs?: number;
    readonly failpoint?: FailpointHook;
    /** Another instance of the same deployment. */
    readonly beside?: { readonly prefix: string };
  } = {},
) {
  const prefix = options.beside?.prefix ?? `al-${newUlid(Date.now())}`;
  const env = {
    PERSISTENCE_CACHE_KEY_PREFIX: prefix,
    PERSISTENCE_ALERTS_WEBHOOK_SECRET: WEBHOOK_SECRET,
    PERSISTENCE_ALERTS_WEBHOOK_TIMEOUT_MS: String(options.timeoutMs ?? 2_000),
    ...options.env,
  };
  const { transport = 'tcp', failpoint } = options;
  const app = await testApp({ transport, env, ...(failpoint === undefined ? {} : { failpoint }) });
  const clock = { nowMs: Date.now() };
  const now = () => clock.nowMs;
  const config = app.config.alerts;
  const sender = createWebhookSender({ timeoutMs: config.webhookTimeoutMs, now });
  const alerts = createAlerts({
    redis: app.redis,
    keys: keysOf(app),
    config,
    tenants: app.tenants,
    reader: createTenantReader({ redis: app.redis, keys: keysOf(app) }),
    sender: failpoint === undefined ? sender : withWebhookFailpoints(sender, failpoint),
    telemetry,
    now,
  });
  return { app, alerts, clock, prefix, keys: keysOf(app) };
}

/** A tenant with quotas of 1,000 each, which uses nothing yet. */
export async function quietTenant(app: App, changes: object = {}): Promise<TenantId> {
  const quotas = {
    memory_bytes: 1_000,
    storage_bytes: 1_000,
    operations_per_minute: 1_000,
    data_transfer_bytes: 1_000,
  };
  const { id } = await app.tenants.create(newTenantRequest({ quotas, ...changes }));
  return id;
}

/** Sets what a tenant uses, of 1,000 each. */
export async function setUse(
  app: App,
  id: TenantId,
  use: { memory?: number; storage?: number; minuteOps?: number; transfer?: number },
  nowMs: number,
): Promise<void> {
  const month = new Date(nowMs);
  const periodEnd = Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + 1, 1);
  const meter = Object.fromEntries(Object.entries(use).map(([name, amount]) => [name, BigInt(amount)]));
  const minute = BigInt(Math.floor(nowMs / MINUTE_MS));
  await gateState(app, id).setMeter({ ...meter, minute, periodEnd: BigInt(periodEnd) });
}

/** Due deliveries, and when. */
export async function dueOf({ app, keys }: Pick<AlertService, 'app' | 'keys'>): Promise<readonly string[]> {
  return (await app.redis.send(['ZRANGE', keys.alertsDue(), 0, -1, 'WITHSCORES'], {
    kind: 'read',
  })) as readonly string[];
}
