/**
 * Closes the invoices of months that have ended. Each step may be the last one, and two may do it at once: an invoice is
 * written once, by whoever comes first, together with all that it changes.
 */

import { type Period, periodOf, previousPeriod } from '../gate/period.ts';
import { parseTenantId, type TenantId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import type { Telemetry } from '../metrics/telemetry.ts';
import { closePeriod, readBillingRun } from '../redis/bindings/billing-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { runScript, runScripts, scriptCall } from '../redis/script.ts';
import { TENANTS_PER_PAGE, tenantPages } from '../tenants/tenant-pages.ts';
import type { Tenants } from '../tenants/tenants.ts';
import { type BillingState, billingCall, readState } from './billing-state.ts';
import { type Closing, closingOf, nextDue } from './due.ts';
import type { Prices } from './invoice.ts';

export interface ClosingReport {
  /** Tenants looked at; 0 when all is closed already. */
  readonly tenants: number;
  readonly closed: number;
  /** Tenants whose invoice could not be made or written: told of in the log, and tried again by the next run. */
  readonly behind: number;
  /** False: time ran out; the next run goes on. */
  readonly finished: boolean;
}

export interface ClosingDeps {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly tenants: Pick<Tenants, 'listIds'>;
  readonly prices: Prices;
  readonly telemetry: Telemetry;
  /** Unix ms: names what is read; Redis' own time decides that a month has ended. */
  readonly now: () => number;
}

/** One run. `target`: the month everything is to be closed through. */
interface Run {
  readonly target: Period;
  readonly signal: AbortSignal | undefined;
  readonly behind: Set<TenantId>;
  tenants: number;
  closed: number;
}

export function createClosing(deps: ClosingDeps) {
  const { redis, keys, tenants, prices, telemetry, now } = deps;
  const system = () => ({ closed: keys.billingClosed(), behind: keys.billingBehind() });

  /** What `make` makes of a tenant; null where that fails, so that one tenant does not hold up the others. */
  const orBehind = <T>(run: Run, id: TenantId, make: () => T): T | null => {
    try {
      return make();
    } catch (error) {
      // Only its name: the message of a parser shows the text it met.
      const reason = error instanceof Error ? error.name : 'unknown';
      telemetry.logger.error('An invoice cannot be closed', { tenant_id: id, reason });
      run.behind.add(id);
      return null;
    }
  };

  const readStates = async (ids: readonly TenantId[], run: Run): Promise<readonly BillingState[]> => {
    const calls = ids.map((id) => billingCall(keys, id, { wanted: null, now: now() }));
    const replies = await runScripts(redis, calls, { kind: 'read', signal: run.signal });
    return ids.flatMap((id, i) => {
      const state = orBehind(run, id, () =>
        readState(id, { wanted: null, reply: whole(replies[i] as (typeof replies)[number]) }),
      );
      return state === null ? [] : [state];
    });
  };

  const isLate = ({ tenant, nowMs }: BillingState, { target }: Run) =>
    tenant !== null && tenant.createdAtMs < target.endMs && nowMs < target.endMs;

  /** The next closing of each tenant that has one. */
  const findDue = (states: readonly BillingState[], run: Run) =>
    states.flatMap((state) => {
      const period = nextDue(state);
      // Its node's clock is behind: the month has not ended there.
      if (period === null && isLate(state, run)) run.behind.add(state.tenantId);
      if (period === null) return [];
      const closing = orBehind(run, state.tenantId, () => closingOf(state, period, { prices, end: 'closed' }));
      return closing === null ? [] : [{ id: state.tenantId, closing }];
    });

  const writeAll = async (
    due: readonly { id: TenantId; closing: Closing }[],
    run: Run,
  ): Promise<readonly TenantId[]> => {
    if (due.length === 0) return [];
    const calls = due.map(({ id, closing }) => closeCall(id, closing));
    const replies = await runScripts(redis, calls, { kind: 'write', signal: run.signal });
    return due.flatMap(({ id }, i) => {
      const outcome = orBehind(run, id, () => whole(replies[i] as (typeof replies)[number]));
      if (outcome === 'not_ended') run.behind.add(id);
      if (outcome === null || outcome === 'not_ended') return [];
      if (outcome.closedNow) run.closed++;
      return [id];
    });
  };

  const closeCall = (id: TenantId, closing: Closing) =>
    scriptCall(closePeriod, { keys: { billing: keys.billing(id) }, args: { ...closing } });

  /** All months these tenants have left open: two round trips for each. */
  const closePage = async (page: readonly TenantId[], run: Run) => {
    run.tenants += page.length;
    let left = page;
    while (left.length > 0 && !run.signal?.aborted) {
      left = await writeAll(findDue(await readStates(left, run), run), run);
    }
  };

  const closeAll = async (run: Run) => {
    for await (const page of tenantPages(tenants, run.signal)) await closePage(page, run);
  };

  const note = async (run: Run, behindBefore: readonly TenantId[], all: boolean) => {
    const { signal, target } = run;
    const caughtUp = behindBefore.filter((id) => !run.behind.has(id));
    const commands = [
      ...(run.behind.size === 0 ? [] : [['SADD', keys.billingBehind(), ...run.behind] as const]),
      ...(caughtUp.length === 0 ? [] : [['SREM', keys.billingBehind(), ...caughtUp] as const]),
      ...(all ? [['SET', keys.billingClosed(), target.name] as const] : []),
    ];
    if (commands.length === 0) return;
    const replies = await redis.sendAll(commands, { kind: 'write', signal, name: 'note-billing-run' });
    replies.forEach(whole);
  };

  return {
    /**
     * Closes every month that has ended, of all tenants. When all is closed already it is one round trip; else two for 100
     * tenants and month. Safe to run twice, or beside itself; ended early, the next run goes on.
     */
    async closeDue(signal?: AbortSignal): Promise<ClosingReport> {
      const { nowMs, closed, behind } = await runScript(redis, readBillingRun, {
        keys: system(),
        args: {},
        kind: 'read',
        signal,
      });
      const target = previousPeriod(periodOf(nowMs));
      const run: Run = { target, signal, behind: new Set(), tenants: 0, closed: 0 };
      const before = behind.flatMap((id) => parseTenantId(id) ?? []);
      const all = closed === null || closed < target.name;
      if (all) await closeAll(run);
      else
        for (let i = 0; i < before.length; i += TENANTS_PER_PAGE)
          await closePage(before.slice(i, i + TENANTS_PER_PAGE), run);
      const finished = !signal?.aborted;
      if (finished) await note(run, before, all);
      return { tenants: run.tenants, closed: run.closed, behind: run.behind.size, finished };
    },

    /** One closing; the invoice as it is stored then. null: the month has not ended. */
    async close(id: TenantId, closing: Closing, signal?: AbortSignal): Promise<string | null> {
      const outcome = await runScript(redis, closePeriod, {
        keys: { billing: keys.billing(id) },
        args: { ...closing },
        kind: 'write',
        signal,
      });
      return outcome === 'not_ended' ? null : outcome.invoice;
    },
  };
}

function whole<T>(reply: T | Error): T {
  if (reply instanceof Error) throw reply;
  return reply;
}
