/**
 * What is stored of alerts, in the hash `alerts` of a tenant:
 *
 *   al-<ulid>                 al1,<JSON of an Alert>
 *   a:<period>:<resource>     a1,<highest threshold told>,<highest amount told>: script raise-alert
 *
 * A golden sample of each is in test/fixtures/stored-formats.json.
 */
import { newUlid } from '../ids.ts';
import type { AlertResponse, DeliveryResponse } from './contract.ts';
import { type Crossing, type Mark, markName } from './thresholds.ts';

export type Alert = AlertResponse;
export type Delivery = DeliveryResponse;

const TAG = 'al1,';

/** A new one: its first attempt is due at once. */
export function newAlert(crossing: Crossing, nowMs: number): Alert {
  const at = new Date(nowMs).toISOString();
  const { threshold, resource, period, used, limit, refused } = crossing;
  return {
    id: `al-${newUlid(nowMs)}`,
    created_at: at,
    resource,
    period,
    threshold_percent: threshold,
    used,
    limit,
    refused,
    status: 'pending',
    next_attempt_at: at,
    deliveries: [],
  };
}

/** As it is stored. */
export const packAlert = (alert: Alert): string => `${TAG}${JSON.stringify(alert)}`;

/** @throws {RangeError} not written by {@link packAlert}. */
export function unpackAlert(text: string): Alert {
  if (!text.startsWith(TAG)) throw new RangeError('Not an alert');
  return JSON.parse(text.slice(TAG.length)) as Alert;
}

/** The field of a mark. */
export const markField = (use: Parameters<typeof markName>[0]): string => `a:${markName(use)}`;

/** Undefined for what is no mark. */
export function unpackMark(text: unknown): Mark | undefined {
  const match = typeof text === 'string' ? /^a1,(\d+),(\d+)$/.exec(text) : null;
  return match === null ? undefined : { threshold: Number(match[1]), amount: Number(match[2]) };
}
