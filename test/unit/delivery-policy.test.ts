import { describe, expect, it } from 'vitest';
import { type Alert, newAlert, packAlert, unpackAlert } from '../../lib/alerts/alert-format.ts';
import { ATTEMPTS_AFTER_MS, afterAttempt } from '../../lib/alerts/delivery-policy.ts';

const RAISED = Date.parse('2026-11-21T00:00:00Z');
const MINUTE = 60_000;
const alert = newAlert(
  { resource: 'memory_bytes', period: '2026-11', used: 80, limit: 100, refused: false, threshold: 80, amount: 80 },
  RAISED,
);
const attempt = (atMs: number, status: number | null) => ({
  at: new Date(atMs).toISOString(),
  status,
  error: status === null ? 'timeout' : null,
  duration_ms: 1,
});
const dueMs = ({ next_attempt_at }: Alert) => (next_attempt_at === null ? null : Date.parse(next_attempt_at));

describe('attempts [T10]', () => {
  it.each([200, 201, 204, 299])('end with %d: delivered', (status) => {
    const after = afterAttempt(alert, attempt(RAISED, status));
    expect(after).toMatchObject({ status: 'delivered', next_attempt_at: null });
    expect(after.deliveries).toHaveLength(1);
  });

  it('end with 410: stopped', () => {
    expect(afterAttempt(alert, attempt(RAISED, 410))).toMatchObject({ status: 'stopped', next_attempt_at: null });
  });

  it.each([null, 199, 301, 400, 404, 429, 500, 503])('go on after %s, eight of them within a day', (status) => {
    let now: Alert = alert;
    const due: (number | null)[] = [];
    for (let atMs: number | null = RAISED; atMs !== null; atMs = dueMs(now)) {
      due.push(atMs - RAISED);
      now = afterAttempt(now, attempt(atMs, status));
    }
    expect(due).toEqual(ATTEMPTS_AFTER_MS);
    expect(now).toMatchObject({ status: 'failed', next_attempt_at: null });
    expect(now.deliveries).toHaveLength(8);
  });

  it('that began late are still a minute apart', () => {
    const late = RAISED + 10 * 3_600_000;
    expect(dueMs(afterAttempt(alert, attempt(late, 500)))).toBe(late + MINUTE);
  });
});

describe('stored alerts [T10]', () => {
  it('are read as they were written', () => {
    expect(unpackAlert(packAlert(alert))).toEqual(alert);
    expect(() => unpackAlert(JSON.stringify(alert))).toThrow(RangeError);
  });
});
