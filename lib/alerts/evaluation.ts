/** One pass over all tenants: finds quotas that filled up and raises their alerts. */
import type { TenantId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import type { Telemetry } from '../metrics/telemetry.ts';
import { raiseAlert } from '../redis/bindings/alert-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { runScripts, scriptCall } from '../redis/script.ts';
import { tenantPages } from '../tenants/tenant-pages.ts';
import type { Tenants } from '../tenants/tenants.ts';
import { type Alert, markField, newAlert, packAlert } from './alert-format.ts';
import { markFields, readMarks, readUses } from './read-uses.ts';
import type { KnownRefusals, Refusals } from './refusals.ts';
import { alertPeriod, type Crossing, dueAlerts, type Use } from './thresholds.ts';
import { recentPoints } from './uses.ts';

export interface EvaluationReport {
  readonly tenants: number;
  readonly raised: number;
  /** Tenants whose gate could not be read, or whose alert could not be written: told of in the log. */
  readonly unreadable: number;
  /** False: time ran out; the next pass begins anew. */
  readonly finished: boolean;
}

const MAX_ALERTS = 100;
/** Marks are kept for this month and the last. */
const MARKS_KEPT_MS = 31 * 86_400_000;

interface Used {
  readonly id: TenantId;
  readonly uses: readonly Use[];
}
interface Raising {
  readonly id: TenantId;
  readonly crossing: Crossing;
  readonly alert: Alert;
}
interface Pass {
  readonly nowMs: number;
  readonly refusals: KnownRefusals;
  readonly signal: AbortSignal | undefined;
  raised: number;
  unreadable: number;
}

export function createEvaluation(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly tenants: Pick<Tenants, 'listIds'>;
  readonly refusals: Refusals;
  readonly telemetry: Telemetry;
  /** Unix ms: names periods and schedules attempts; what was used in them, Redis' own time decided. */
  readonly now: () => number;
}) {
  const { redis, keys, tenants, refusals, telemetry, now } = deps;

  /** Those of a page that have reached a threshold: one round trip for all of them. */
  const findUsed = async (page: readonly TenantId[], pass: Pass): Promise<readonly Used[]> => {
    const fields = ['h', 'm', ...recentPoints(pass.nowMs)];
    const gates = await redis.sendAll(
      page.map((id) => ['HMGET', keys.gate(id), ...fields]),
      { kind: 'read', signal: pass.signal },
    );
    return page.flatMap((id, i) => {
      const uses = readable(pass, id, () => readUses(gates[i], pass.refusals.get(id), pass.nowMs));
      return uses !== null && uses.length > 0 ? [{ id, uses }] : [];
    });
  };

  /** What of it was not told yet: one round trip more. */
  const findNews = async (used: readonly Used[], pass: Pass): Promise<readonly Raising[]> => {
    const marks = await redis.sendAll(
      used.map(({ id, uses }) => ['HMGET', keys.alerts(id), ...markFields(uses)]),
      { kind: 'read', signal: pass.signal },
    );
    return used.flatMap(({ id, uses }, i) => {
      const told = readable(pass, id, () => readMarks(uses, marks[i]));
      const due = told === null ? [] : dueAlerts(uses, told);
      return due.map((crossing) => ({ id, crossing, alert: newAlert(crossing, pass.nowMs) }));
    });
  };

  /**
   * First what is to be delivered, then the alerts: ended in between, a delivery without an alert is dropped after an hour
   * (delivery.ts), and the next pass raises the alert. The other way round it could be raised and never sent.
   */
  const raise = async (news: readonly Raising[], pass: Pass): Promise<void> => {
    const due = news.flatMap(({ id, alert }) => [pass.nowMs, `${id},${alert.id}`]);
    await redis.send(['ZADD', keys.alertsDue(), ...due], { kind: 'write', signal: pass.signal });
    const keepFrom = alertPeriod('memory_bytes', pass.nowMs - MARKS_KEPT_MS);
    const calls = news.map(({ id, crossing, alert }) =>
      scriptCall(raiseAlert, {
        keys: { alerts: keys.alerts(id), gate: keys.gate(id) },
        args: {
          mark: markField(crossing),
          threshold: crossing.threshold,
          amount: crossing.amount,
          id: alert.id,
          alert: packAlert(alert),
          keepFrom,
          maxAlerts: MAX_ALERTS,
        },
      }),
    );
    const outcomes = await runScripts(redis, calls, { kind: 'write', signal: pass.signal });
    for (const [i, { id, crossing }] of news.entries()) {
      const outcome = outcomes[i];
      if (outcome instanceof Error) refuse(pass, id, outcome);
      if (outcome !== true) continue;
      pass.raised++;
      const { resource, threshold, period } = crossing;
      telemetry.logger.info('Quota alert', { tenant_id: id, resource, threshold_percent: threshold, period });
    }
  };

  const refuse = (pass: Pass, id: TenantId, error: unknown): void => {
    telemetry.logger.error('Alerts of a tenant cannot be looked at', { tenant_id: id, error });
    pass.unreadable++;
  };

  /** Null where a tenant's data is damaged, so that one tenant does not hold up the others. */
  const readable = <T>(pass: Pass, id: TenantId, read: () => T): T | null => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      refuse(pass, id, error);
      return null;
    }
  };

  return {
    /**
     * Ends early when `signal` aborts. Safe to run twice, or beside itself. For 100 tenants 2 round trips, 1 more where some
     * have reached a threshold, 2 more where that is news.
     */
    async run(signal?: AbortSignal): Promise<EvaluationReport> {
      if (signal?.aborted) return { tenants: 0, raised: 0, unreadable: 0, finished: false };
      const noted = await refusals.read(signal);
      const pass: Pass = { nowMs: now(), refusals: noted.known, signal, raised: 0, unreadable: 0 };
      let count = 0;
      for await (const page of tenantPages(tenants, signal)) {
        const used = await findUsed(page, pass);
        const news = used.length === 0 ? [] : await findNews(used, pass);
        if (news.length > 0) await raise(news, pass);
        count += page.length;
      }
      const finished = !signal?.aborted;
      // Also those of tenants that are gone. Not after a tenant failed: its refusal is looked at again.
      if (finished && pass.unreadable === 0) await refusals.forget(noted.seen, signal);
      return { tenants: count, raised: pass.raised, unreadable: pass.unreadable, finished };
    },
  };
}
