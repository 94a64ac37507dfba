/** Quota alerts: found by a schedule, told by signed webhooks, kept with their deliveries (docs/adr/0015-alerts.md). */
import type { AlertConfig } from '../config/config.ts';
import { WebhookNotSetError } from '../errors.ts';
import type { TenantId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import type { Telemetry } from '../metrics/telemetry.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { pairsOf } from '../redis/reply-shape.ts';
import type { TenantReader } from '../tenants/tenant-reader.ts';
import type { Tenants } from '../tenants/tenants.ts';
import { unpackAlert } from './alert-format.ts';
import { testBody } from './alert-message.ts';
import type { AlertsResponse, TestAlertResponse, WebhookResponse } from './contract.ts';
import { createAlertDelivery, type DeliveryReport } from './delivery.ts';
import { createEvaluation, type EvaluationReport } from './evaluation.ts';
import { createRefusals } from './refusals.ts';
import type { Resource } from './resources.ts';
import type { WebhookSender } from './webhook-sender.ts';
import { type NoTarget, type WebhookTarget, webhookTarget } from './webhook-target.ts';

export type Alerts = ReturnType<typeof createAlerts>;

export interface AlertsDeps {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly config: AlertConfig;
  readonly tenants: Pick<Tenants, 'listIds'>;
  readonly reader: Pick<TenantReader, 'record'>;
  readonly sender: WebhookSender;
  readonly telemetry: Telemetry;
  /** Unix ms. */
  readonly now: () => number;
}

export function createAlerts(deps: AlertsDeps) {
  const { redis, keys, config, reader, sender, now } = deps;
  const refusals = createRefusals(deps);
  const evaluation = createEvaluation({ ...deps, refusals });
  const delivery = createAlertDelivery(deps);

  const targetOf = async (tenantId: TenantId, signal: AbortSignal | undefined) => {
    const { tenant } = await reader.record(tenantId, signal);
    return webhookTarget(config, tenantId, tenant.alert_webhook_url);
  };

  return {
    /** Looks at every tenant's use and raises what is to be told. Nothing is sent yet. */
    evaluate: (signal?: AbortSignal): Promise<EvaluationReport> => evaluation.run(signal),

    /** Sends what was raised, and again what was not taken. */
    deliver: (signal?: AbortSignal): Promise<DeliveryReport> => delivery.run(signal),

    /** Notes that work was refused because of a quota; best effort, at most once a minute on this instance. Never throws. */
    noteRefusal: (tenantId: TenantId, resource: Resource): Promise<void> => refusals.note(tenantId, resource),

    /** The last 100 alerts, newest first; two round trips. @throws {NotFoundError | TenantErasedError} */
    async list(
      tenantId: TenantId,
      options: { readonly signal?: AbortSignal | undefined } = {},
    ): Promise<AlertsResponse> {
      const { signal } = options;
      const target = await targetOf(tenantId, signal);
      const stored = await redis.send(['HGETALL', keys.alerts(tenantId)], { kind: 'read', signal });
      const items = pairsOf(stored as readonly string[])
        .filter(([id]) => id.startsWith('al-'))
        .sort(([a], [b]) => (a < b ? 1 : -1))
        .map(([, text]) => unpackAlert(text));
      return { webhook: shown(target), items, next_cursor: null };
    },

    /**
     * Sends a test message now, once; it is not kept.
     * @throws {NotFoundError | TenantErasedError} @throws {WebhookNotSetError} there is nowhere to send it.
     */
    async sendTest(
      tenantId: TenantId,
      options: { readonly ulid: string; readonly signal?: AbortSignal | undefined },
    ): Promise<TestAlertResponse> {
      const target = await targetOf(tenantId, options.signal);
      if (typeof target === 'string')
        throw new WebhookNotSetError(WHAT_TO_DO[target], { details: { problem: target } });
      const messageId = `test-${options.ulid}`;
      const made = await sender.post(target, { id: messageId, body: testBody(tenantId, now()) }, options.signal);
      return { message_id: messageId, url: target.url, delivered: made.error === null, delivery: made };
    },
  };
}

/** The deployment's secret signs for all tenants, so it is not shown with any of them. */
function shown(target: WebhookTarget | NoTarget): WebhookResponse {
  if (typeof target === 'string') return { url: null, source: null, signing_secret: null, problem: target };
  const { url, source, secrets } = target;
  return { url, source, signing_secret: source === 'tenant' ? secrets[0] : null, problem: null };
}

const WHAT_TO_DO: Readonly<Record<NoTarget, string>> = {
  no_url: 'This tenant has no webhook: set its alert_webhook_url, or alerts.webhook_url for all',
  no_secret: 'Nothing to sign with: set alerts.webhook_secret of this deployment',
  url_refused: "The tenant's alert_webhook_url is not allowed: https, and no user or password",
};
