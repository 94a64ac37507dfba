/** Where a tenant's alerts go, and what signs them. */
import type { AlertConfig } from '../config/config.ts';
import { tenantSecret } from './webhook-signature.ts';
import { isWebhookUrl } from './webhook-url.ts';

export interface WebhookTarget {
  readonly url: string;
  /** Whose address it is: the tenant's own wins. */
  readonly source: 'tenant' | 'deployment';
  /** The current one first; those before it are being replaced. */
  readonly secrets: readonly [string, ...string[]];
}

/** Why a tenant's alerts go nowhere. */
export type NoTarget = 'no_url' | 'no_secret' | 'url_refused';

/** @param ownUrl the tenant's `alert_webhook_url`. */
export function webhookTarget(
  config: AlertConfig,
  tenantId: string,
  ownUrl: string | null | undefined,
): WebhookTarget | NoTarget {
  const own = typeof ownUrl === 'string' && ownUrl !== '';
  const url = own ? ownUrl : config.webhookUrl;
  if (url === '') return 'no_url';
  // Checked again: a record may be older than the rule.
  if (!isWebhookUrl(url)) return 'url_refused';
  const [current, ...older] = config.webhookSecret;
  if (current === undefined) return 'no_secret';
  if (!own) return { url, source: 'deployment', secrets: [current, ...older] };
  const derive = (secret: string) => tenantSecret(secret, tenantId);
  return { url, source: 'tenant', secrets: [derive(current), ...older.map(derive)] };
}
