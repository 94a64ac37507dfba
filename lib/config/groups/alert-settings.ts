import { WEBHOOK_SECRET } from '../../alerts/webhook-signature.ts';
import { isWebhookUrl, WEBHOOK_URL_EXPECTED } from '../../alerts/webhook-url.ts';
import { defineSettings } from '../setting.ts';
import { list, milliseconds, valueType } from '../value-types.ts';

/** Warnings of quotas that fill up. */
export const alertSettings = defineSettings({
  webhook_url: {
    type: valueType(WEBHOOK_URL_EXPECTED, (raw) => (raw === '' || isWebhookUrl(raw) ? raw : undefined)),
    default: '',
    hot: true,
    about: 'Where quota alerts of tenants without an address of their own are sent; empty means nowhere',
  },
  webhook_secret: {
    type: list('`whsec_` and base64 of 24 to 64 bytes; several, separated by commas', (item) =>
      WEBHOOK_SECRET.test(item),
    ),
    default: '',
    hot: false,
    fixed: true,
    about: 'Signs them (Standard Webhooks); the current one first, then those being replaced',
    secret: 'value',
  },
  webhook_timeout_ms: {
    type: milliseconds(1, 20_000),
    default: '5000',
    hot: true,
    about: 'Longest wait for a receiver’s answer',
  },
});
