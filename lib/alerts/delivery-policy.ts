/** When a webhook is tried again, and when no more. */
import type { Alert, Delivery } from './alert-format.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** When each attempt is due, counted from the alert: eight within a day. */
export const ATTEMPTS_AFTER_MS = [
  0,
  MINUTE_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
  24 * HOUR_MS,
] as const;

/** An alert after one more attempt. Attempts that began late are still a minute apart. */
export function afterAttempt(alert: Alert, delivery: Delivery): Alert {
  const deliveries = [...alert.deliveries, delivery];
  const ended = { ...alert, deliveries, next_attempt_at: null };
  if (delivery.status !== null && delivery.status >= 200 && delivery.status < 300)
    return { ...ended, status: 'delivered' };
  // The receiver says that nobody is there any more.
  if (delivery.status === 410) return { ...ended, status: 'stopped' };
  const dueAfterMs = ATTEMPTS_AFTER_MS[deliveries.length];
  if (dueAfterMs === undefined) return { ...ended, status: 'failed' };
  const dueMs = Math.max(Date.parse(alert.created_at) + dueAfterMs, Date.parse(delivery.at) + MINUTE_MS);
  return { ...ended, status: 'pending', next_attempt_at: new Date(dueMs).toISOString() };
}

/** An alert that nobody wants to be told of by webhook. */
export const notSent = (alert: Alert): Alert => ({ ...alert, status: 'not_sent', next_attempt_at: null });
