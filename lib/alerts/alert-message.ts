/** What a webhook says: an event of Standard Webhooks, `{type, timestamp, data}`. The same bytes at every attempt. */
import type { TenantId } from '../ids.ts';
import type { Alert } from './alert-format.ts';

/** The body of an alert's webhook, JSON. */
export function alertBody(tenantId: TenantId, alert: Alert): string {
  const { created_at, resource, threshold_percent, used, limit, period, refused } = alert;
  return JSON.stringify({
    type: 'quota.threshold_reached',
    timestamp: created_at,
    data: { tenant_id: tenantId, resource, threshold_percent, used, limit, period, refused },
  });
}

/** The body of a test message, JSON. */
export const testBody = (tenantId: TenantId, nowMs: number): string =>
  JSON.stringify({
    type: 'webhook.test',
    timestamp: new Date(nowMs).toISOString(),
    data: { tenant_id: tenantId, message: 'A test: this webhook is set up.' },
  });
