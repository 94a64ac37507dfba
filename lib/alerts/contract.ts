/** The alert endpoints: what they take and give. */
import * as z from 'zod';
import { admin, defineContract } from '../http/contract.ts';
import { Count, Instant } from '../http/fields.ts';
import { TENANT_PROBLEMS, TenantParams } from '../tenants/contract.ts';
import { RESOURCES } from './resources.ts';

export const DeliveryResponse = z.object({
  at: Instant,
  status: z.int().nullable().describe('HTTP status of the answer; null: there was none.'),
  error: z
    .string()
    .nullable()
    .describe('`timeout`, `redirect`, `refused` (an error status), or why there was no answer.'),
  duration_ms: Count,
});
export type DeliveryResponse = z.output<typeof DeliveryResponse>;

export const AlertResponse = z.object({
  id: z.string(),
  created_at: Instant,
  resource: z.enum(RESOURCES),
  period: z.string().describe('The month, or of operations_per_minute the day, in which a threshold is told once.'),
  threshold_percent: z.int(),
  used: Count,
  limit: Count,
  refused: z.boolean().describe('Work was refused because of this quota.'),
  status: z
    .enum(['pending', 'delivered', 'failed', 'stopped', 'not_sent'])
    .describe('`stopped`: the receiver answered 410. `not_sent`: there was no webhook to send it to.'),
  next_attempt_at: Instant.nullable(),
  deliveries: z.array(DeliveryResponse),
});
export type AlertResponse = z.output<typeof AlertResponse>;

export const WebhookResponse = z.object({
  url: z.string().nullable(),
  source: z.enum(['tenant', 'deployment']).nullable().describe("Whose address it is; the tenant's own wins."),
  signing_secret: z
    .string()
    .nullable()
    .describe("Verifies messages to the tenant's own address, by any library of Standard Webhooks."),
  problem: z
    .enum(['no_url', 'no_secret', 'url_refused'])
    .nullable()
    .describe('Why nothing is sent: no address, no `alerts.webhook_secret`, or an address that is not allowed.'),
});
export type WebhookResponse = z.output<typeof WebhookResponse>;

export const AlertsResponse = z.object({
  webhook: WebhookResponse,
  items: z.array(AlertResponse),
  next_cursor: z.null(),
});
export type AlertsResponse = z.output<typeof AlertsResponse>;

export const TestAlertResponse = z.object({
  message_id: z.string(),
  url: z.string(),
  delivered: z.boolean(),
  delivery: DeliveryResponse,
});
export type TestAlertResponse = z.output<typeof TestAlertResponse>;

export const listAlertsContract = defineContract({
  method: 'GET',
  path: '/admin/tenants/{id}/alerts',
  name: 'listAlerts',
  summary: "List a tenant's last 100 alerts with their deliveries, newest first, and its webhook",
  guard: admin,
  params: TenantParams,
  replies: { 200: { description: 'The alerts and the webhook', schema: AlertsResponse } },
  problems: TENANT_PROBLEMS,
});

export const sendTestAlertContract = defineContract({
  method: 'POST',
  path: '/admin/tenants/{id}/alerts/test',
  name: 'sendTestAlert',
  summary: "Send a test message to a tenant's webhook now, once, and tell how that went",
  guard: admin,
  params: TenantParams,
  replies: {
    200: { description: 'What the receiver answered, whether it took the message or not', schema: TestAlertResponse },
  },
  problems: [...TENANT_PROBLEMS, 'webhook_not_set'],
});
