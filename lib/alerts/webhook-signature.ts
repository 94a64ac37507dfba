/**
 * Signatures of Standard Webhooks (https://www.standardwebhooks.com): symmetric, `v1`. A receiver may use any library of
 * that standard; test/unit/webhook-signature.test.ts holds ours against the published one.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** `whsec_` and base64 of 24 to 64 bytes. */
export const WEBHOOK_SECRET = /^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/;

export interface WebhookMessage {
  /** The same for every attempt: receivers drop what they have seen. */
  readonly id: string;
  /** When it is sent, Unix ms; receivers refuse what is older than five minutes. */
  readonly sentAtMs: number;
  readonly body: string;
}

/**
 * The three headers of a message.
 * @param secrets one signature is made with each: while a secret is replaced, old and new ones are accepted.
 */
export function signWebhook(message: WebhookMessage, secrets: readonly string[]): Readonly<Record<string, string>> {
  const seconds = Math.floor(message.sentAtMs / 1000);
  return {
    'webhook-id': message.id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': secrets.map((secret) => signatureOf(message, seconds, secret)).join(' '),
  };
}

const TOLERANCE_SECONDS = 300;

/**
 * Whether a message is ours and fresh; for receivers written in TypeScript.
 * @param headers names in lower case. @param body exactly as it came.
 */
export function verifyWebhook(
  received: { readonly headers: Readonly<Record<string, string | undefined>>; readonly body: string },
  secret: string,
  nowMs: number,
): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = received.headers;
  if (id === undefined || signatures === undefined || !/^\d{1,12}$/.test(timestamp ?? '')) return false;
  const seconds = Number(timestamp);
  if (Math.abs(nowMs / 1000 - seconds) > TOLERANCE_SECONDS) return false;
  const expected = Buffer.from(signatureOf({ id, body: received.body }, seconds, secret));
  return signatures.split(' ').some((signature) => {
    const given = Buffer.from(signature);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}

/**
 * The secret of a tenant's own webhook, made from the deployment's: nothing secret is stored, and a tenant that knows its
 * secret can sign for nobody else.
 */
export function tenantSecret(deploymentSecret: string, tenantId: string): string {
  const bytes = createHmac('sha256', bytesOf(deploymentSecret)).update(`riptide webhook ${tenantId}`).digest('base64');
  return `whsec_${bytes}`;
}

function signatureOf({ id, body }: Pick<WebhookMessage, 'id' | 'body'>, seconds: number, secret: string): string {
  return `v1,${createHmac('sha256', bytesOf(secret)).update(`${id}.${seconds}.${body}`).digest('base64')}`;
}

const bytesOf = (secret: string) => Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
