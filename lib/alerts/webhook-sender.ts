/** The port through which webhooks leave, and its one adapter, over fetch. */
import { DeadlineError } from '../errors.ts';
import type { FailpointHook } from '../redis/failpoints.ts';
import type { Delivery } from './alert-format.ts';
import { signWebhook } from './webhook-signature.ts';
import type { WebhookTarget } from './webhook-target.ts';

export interface WebhookSender {
  /**
   * Posts a message once. Whatever the receiver does, it ends within the timeout and is told as a delivery.
   * @throws {DeadlineError} `signal` aborted first: whether it arrived is not known.
   */
  post(target: WebhookTarget, message: Message, signal?: AbortSignal): Promise<Delivery>;
}

export interface Message {
  readonly id: string;
  readonly body: string;
}

export function createWebhookSender(deps: {
  readonly timeoutMs: number;
  /** Unix ms. */
  readonly now: () => number;
}): WebhookSender {
  return {
    async post(target, message, signal) {
      const startedAt = performance.now();
      const sentAtMs = deps.now();
      const outcome = await attempt(target, { ...message, sentAtMs }, deps.timeoutMs, signal);
      const durationMs = Math.round(performance.now() - startedAt);
      return { at: new Date(sentAtMs).toISOString(), ...outcome, duration_ms: durationMs };
    },
  };
}

type Outcome = Pick<Delivery, 'status' | 'error'>;

async function attempt(
  target: WebhookTarget,
  message: Message & { readonly sentAtMs: number },
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Outcome> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(target.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'riptide-webhooks/1',
        ...signWebhook(message, target.secrets),
      },
      body: message.body,
      // A redirect would take tenant and use to an address that nobody set.
      redirect: 'manual',
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    // Not read: only the status counts, and the receiver may write without end.
    await response.body?.cancel();
    return { status: response.status, error: meaningOf(response.status) };
  } catch (error) {
    if (signal?.aborted) throw new DeadlineError('Time ran out before the receiver answered', { cause: error });
    return { status: null, error: timeout.aborted ? 'timeout' : reasonOf(error) };
  }
}

function meaningOf(status: number): string | null {
  if (status >= 200 && status < 300) return null;
  return status >= 300 && status < 400 ? 'redirect' : 'refused';
}

/** Node's code of what went wrong, as `econnrefused`; no message, which may hold the address. */
function reasonOf(error: unknown): string {
  const { code } = (error instanceof Error ? (error.cause ?? error) : {}) as { code?: unknown };
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code) ? code.toLowerCase() : 'connection_failed';
}

/** The same port, with a failpoint before and after each message. */
export function withWebhookFailpoints(sender: WebhookSender, hook: FailpointHook): WebhookSender {
  return {
    async post(target, message, signal) {
      await hook({ port: 'webhooks', name: 'post', phase: 'before' });
      const delivery = await sender.post(target, message, signal);
      await hook({ port: 'webhooks', name: 'post', phase: 'after' });
      return delivery;
    },
  };
}
