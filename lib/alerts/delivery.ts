/** Sends the webhooks that are due, and keeps what came of each attempt. */
import type { AlertConfig } from '../config/config.ts';
import type { Keys } from '../keys.ts';
import type { Telemetry } from '../metrics/telemetry.ts';
import { replaceAlert } from '../redis/bindings/alert-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { runScript } from '../redis/script.ts';
import { type Alert, packAlert } from './alert-format.ts';
import { alertBody } from './alert-message.ts';
import { afterAttempt, notSent } from './delivery-policy.ts';
import { createDueAlerts, type Due, type FoundAlert, type Settled } from './due-alerts.ts';
import type { WebhookSender } from './webhook-sender.ts';

export interface DeliveryReport {
  readonly delivered: number;
  /** Not taken by the receiver; tried again where attempts are left. */
  readonly failed: number;
  /** Put off, because their receiver took its share of this pass. */
  readonly waiting: number;
  /** False: time ran out; the next pass goes on. */
  readonly finished: boolean;
}

type Sending = Extract<Due, { kind: 'send' }>;

const BATCH = 100;
/** Messages under way to one receiver. */
const LANE_WIDTH = 8;
/** Until a message is due again whose receiver had no time left: by the next pass. */
const PUT_OFF_MS = 30_000;

interface Pass {
  readonly signal: AbortSignal | undefined;
  /** Receiver's address -> ms it took in this pass. */
  readonly spentMs: Map<string, number>;
  readonly counts: { delivered: number; failed: number; waiting: number };
}

export function createAlertDelivery(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly config: AlertConfig;
  readonly sender: WebhookSender;
  readonly telemetry: Telemetry;
  /** Unix ms. */
  readonly now: () => number;
}) {
  const { redis, keys, config, sender, now } = deps;
  const due = createDueAlerts(deps);
  /** Longer than a batch can take: two timeouts, and Redis. */
  const leaseMs = () => 4 * config.webhookTimeoutMs + 60_000;

  const replace = (found: FoundAlert, after: Alert, signal: AbortSignal | undefined) =>
    runScript(redis, replaceAlert, {
      keys: { alerts: keys.alerts(found.tenantId) },
      args: { id: found.alert.id, before: found.text, after: packAlert(after) },
      kind: 'write',
      signal,
    });

  /** One attempt. Undefined: time ran out, and the message is due again when its claim ends. */
  const send = async ({ member, found, target }: Sending, pass: Pass): Promise<Settled | undefined> => {
    const message = { id: found.alert.id, body: alertBody(found.tenantId, found.alert) };
    const delivery = await sender.post(target, message, pass.signal).catch((error: unknown) => {
      if (pass.signal?.aborted) return undefined;
      throw error;
    });
    if (delivery === undefined) return undefined;
    if (delivery.error === 'timeout') pass.spentMs.set(target.url, config.webhookTimeoutMs);
    const after = afterAttempt(found.alert, delivery);
    pass.counts[after.status === 'delivered' ? 'delivered' : 'failed']++;
    // Not replaced: it was removed as one of too many, or another pass knows more; the list tells when its claim ends.
    if (!(await replace(found, after, pass.signal))) return undefined;
    return { member, nextMs: after.next_attempt_at === null ? null : Date.parse(after.next_attempt_at) };
  };

  /**
   * All messages to one receiver. In one pass it gets as much time as one answer may take; the rest waits for the next pass,
   * so that a slow one holds up the others by two timeouts at most.
   */
  const runLane = async (url: string, lane: readonly Sending[], pass: Pass): Promise<readonly Settled[]> => {
    const startedAt = performance.now();
    const spentMs = () => (pass.spentMs.get(url) ?? 0) + performance.now() - startedAt;
    const hasTime = () => spentMs() < config.webhookTimeoutMs;
    const queue = [...lane];
    const settled: Settled[] = [];
    const work = async () => {
      while (hasTime() && !pass.signal?.aborted) {
        const next = queue.shift();
        if (next === undefined) return;
        const one = await send(next, pass);
        if (one !== undefined) settled.push(one);
      }
    };
    const workers = await Promise.allSettled(Array.from({ length: Math.min(LANE_WIDTH, lane.length) }, work));
    pass.spentMs.set(url, spentMs());
    const failure = workers.find((worker) => worker.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
    pass.counts.waiting += queue.length;
    return [...settled, ...queue.map(({ member }) => ({ member, nextMs: now() + PUT_OFF_MS }))];
  };

  const runBatch = async (batch: readonly Due[], pass: Pass): Promise<void> => {
    const settled: Settled[] = [];
    for (const one of batch) {
      if (one.kind === 'nowhere') await replace(one.found, notSent(one.found.alert), pass.signal);
      if (one.kind !== 'send') settled.push({ member: one.member, nextMs: one.kind === 'again' ? one.atMs : null });
    }
    const lanes = Map.groupBy(
      batch.filter((one) => one.kind === 'send'),
      ({ target }) => target.url,
    );
    const outcomes = await Promise.allSettled([...lanes].map(([url, lane]) => runLane(url, lane, pass)));
    for (const outcome of outcomes) if (outcome.status === 'fulfilled') settled.push(...outcome.value);
    await due.settle(settled, pass.signal);
    // A fault of the store, told after the others were looked after.
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
  };

  return {
    /** Sends all that is due; ends early when `signal` aborts. Safe to run beside itself; a message may come twice, with one id. */
    async run(signal?: AbortSignal): Promise<DeliveryReport> {
      const pass: Pass = { signal, spentMs: new Map(), counts: { delivered: 0, failed: 0, waiting: 0 } };
      for (;;) {
        if (signal?.aborted) return { ...pass.counts, finished: false };
        const batch = await due.claim({ nowMs: now(), leaseMs: leaseMs(), limit: BATCH }, signal);
        await runBatch(batch, pass);
        if (batch.length < BATCH) return { ...pass.counts, finished: !signal?.aborted };
      }
    },
  };
}
