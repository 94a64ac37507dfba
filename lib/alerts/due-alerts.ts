/** The list of webhooks to send: what is due, taken for a while; and what to do with each, before anything is sent. */
import type { AlertConfig } from '../config/config.ts';
import { parseTenantId, type TenantId, ulidTimeMs } from '../ids.ts';
import type { Keys } from '../keys.ts';
import type { Telemetry } from '../metrics/telemetry.ts';
import { claimDueAlerts } from '../redis/bindings/alert-scripts.ts';
import type { RedisCommand, RedisDriver, RedisReply } from '../redis/driver.ts';
import { runScript } from '../redis/script.ts';
import { unpackRecord } from '../tenants/record-format.ts';
import { type Alert, unpackAlert } from './alert-format.ts';
import { type NoTarget, type WebhookTarget, webhookTarget } from './webhook-target.ts';

/** What was found of one member of the list. `again`: not now, but at `atMs`; `over`: never. */
export type Due = { readonly member: string } & (
  | { readonly kind: 'send'; readonly found: FoundAlert; readonly target: WebhookTarget }
  | { readonly kind: 'nowhere'; readonly found: FoundAlert }
  | { readonly kind: 'again'; readonly atMs: number }
  | { readonly kind: 'over' }
);

export interface FoundAlert {
  readonly tenantId: TenantId;
  readonly alert: Alert;
  /** As it is stored. */
  readonly text: string;
}

/** When a member of the list is looked at again; null: it is over. */
export interface Settled {
  readonly member: string;
  readonly nextMs: number | null;
}

const MINUTE_MS = 60_000;
/** An alert is raised within moments after its delivery was listed; one that never was, by a pass that ended in between. */
const ORPHAN_MS = 60 * MINUTE_MS;

export function createDueAlerts(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly config: AlertConfig;
  readonly telemetry: Telemetry;
}) {
  const { redis, keys, config, telemetry } = deps;

  const read = async (commands: readonly RedisCommand[], signal: AbortSignal | undefined) =>
    commands.length === 0 ? [] : redis.sendAll(commands, { kind: 'read', signal });

  /** What cannot be read is taken off the list, and told of: it must not hold up the others, or come back for ever. */
  const decideOrDrop = (one: Named & { record: Reply; text: Reply; nowMs: number }): Due => {
    try {
      return decide(one, config);
    } catch (error) {
      if (!(error instanceof RangeError) && !(error instanceof SyntaxError)) throw error;
      telemetry.logger.error('An alert cannot be read', { tenant_id: one.tenantId, alert_id: one.alertId, error });
      return { member: one.member, kind: 'over' };
    }
  };

  return {
    /** Takes what is due, for `leaseMs`: whoever is killed gives it back by that. Three round trips. */
    async claim(
      options: { readonly nowMs: number; readonly leaseMs: number; readonly limit: number },
      signal?: AbortSignal,
    ): Promise<readonly Due[]> {
      const { nowMs, leaseMs, limit } = options;
      const members = await runScript(redis, claimDueAlerts, {
        keys: { due: keys.alertsDue() },
        args: { nowMs, untilMs: nowMs + leaseMs, limit },
        kind: 'write',
        signal,
      });
      const named = members.map((member) => ({ member, ...parseMember(member) }));
      const known = named.filter(isNamed);
      const records = await read(
        known.map(({ tenantId }) => ['GET', keys.record(tenantId)]),
        signal,
      );
      const alerts = await read(
        known.map(({ tenantId, alertId }) => ['HGET', keys.alerts(tenantId), alertId]),
        signal,
      );
      const found = known.map((one, i) => decideOrDrop({ ...one, record: records[i], text: alerts[i], nowMs }));
      return [
        ...found,
        ...named.filter((one) => !isNamed(one)).map(({ member }) => ({ member, kind: 'over' }) as const),
      ];
    },

    /** Removes what is over and sets when the others are due; one round trip. */
    async settle(settled: readonly Settled[], signal?: AbortSignal): Promise<void> {
      const over = settled.flatMap(({ member, nextMs }) => (nextMs === null ? [member] : []));
      const again = settled.flatMap(({ member, nextMs }) => (nextMs === null ? [] : [nextMs, member]));
      const commands: RedisCommand[] = [];
      if (over.length > 0) commands.push(['ZREM', keys.alertsDue(), ...over]);
      if (again.length > 0) commands.push(['ZADD', keys.alertsDue(), ...again]);
      if (commands.length > 0) await redis.sendAll(commands, { kind: 'write', signal });
    },
  };
}

interface Named {
  readonly member: string;
  readonly tenantId: TenantId;
  readonly alertId: string;
}

function parseMember(member: string): Partial<Named> {
  const [id = '', alertId = ''] = member.split(',');
  const tenantId = parseTenantId(id);
  return tenantId === null || !/^al-[0-9a-z]{26}$/.test(alertId) ? {} : { tenantId, alertId };
}

const isNamed = (one: Partial<Named>): one is Named => one.tenantId !== undefined;

type Reply = RedisReply | Error | undefined;

function decide(one: Named & { record: Reply; text: Reply; nowMs: number }, config: AlertConfig): Due {
  const { member, tenantId, alertId, record, text, nowMs } = one;
  // Redis could not be asked about it now.
  if (record instanceof Error || text instanceof Error) return { member, kind: 'again', atMs: nowMs + MINUTE_MS };
  if (typeof record !== 'string') return { member, kind: 'over' };
  if (typeof text !== 'string') {
    const isOrphan = nowMs - ulidTimeMs(alertId.slice(3)) > ORPHAN_MS;
    return isOrphan ? { member, kind: 'over' } : { member, kind: 'again', atMs: nowMs + MINUTE_MS };
  }
  const alert = unpackAlert(text);
  if (alert.next_attempt_at === null) return { member, kind: 'over' };
  const atMs = Date.parse(alert.next_attempt_at);
  if (atMs > nowMs) return { member, kind: 'again', atMs };
  const found = { tenantId, alert, text };
  const target: WebhookTarget | NoTarget = webhookTarget(
    config,
    tenantId,
    unpackRecord(record).tenant.alert_webhook_url,
  );
  return typeof target === 'string' ? { member, kind: 'nowhere', found } : { member, kind: 'send', found, target };
}
