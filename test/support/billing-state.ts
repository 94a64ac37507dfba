/** A tenant with a past: made months ago, its counters and points as they would have been left behind. */
import type { App } from '../../lib/app.ts';
import type { Counters } from '../../lib/gate/counters.ts';
import { periodPoint } from '../../lib/gate/counters.ts';
import { type Period, periodOf, previousPeriod } from '../../lib/gate/period.ts';
import { newUlid, type TenantId } from '../../lib/ids.ts';
import { packRecord, unpackRecord } from '../../lib/tenants/record-format.ts';
import { newTenantRequest } from './app.ts';
import { countersText, MINUTE_MS } from './counters-text.ts';
import { gateState } from './gate-state.ts';
import { redisTimeMs } from './redis-time.ts';
import { keysOf } from './tenant-state.ts';

const READ = { kind: 'read' } as const;
const WRITE = { kind: 'write' } as const;

/** This month by Redis' own time, and those before it: `months(app, 3)[2]` is two months ago. */
export async function months(app: App, count: number): Promise<readonly Period[]> {
  const list = [periodOf(await redisTimeMs(app))];
  while (list.length < count) list.push(previousPeriod(list.at(-1) as Period));
  return list;
}

export type Past = Awaited<ReturnType<typeof tenantWithPast>>;

/** @param madeMs when it was made, Unix ms: its id and its record say so. */
export async function tenantWithPast(app: App, { madeMs, plan = 'starter' }: { madeMs: number; plan?: string }) {
  const { id } = await app.tenants.create(newTenantRequest({ plan }), { ulid: newUlid(madeMs) });
  const keys = keysOf(app);
  const gate = gateState(app, id);
  const record = unpackRecord((await app.redis.send(['GET', keys.record(id)], READ)) as string);
  const created_at = new Date(madeMs).toISOString();
  await app.redis.send(
    ['SET', keys.record(id), packRecord({ ...record, tenant: { ...record.tenant, created_at } })],
    WRITE,
  );
  return {
    id: id as TenantId,
    gate,
    /** What field `m` holds: last changed at `atMs`. */
    setCounters: (atMs: number, counters: Partial<Counters>) => gate.write('m', textOf(atMs, counters)),
    /** The point of a month that has ended, last changed at `atMs`. */
    setPoint: (atMs: number, counters: Partial<Counters>) =>
      gate.write(periodPoint(periodOf(atMs).endMs), textOf(atMs, counters)),
    async billing(): Promise<Readonly<Record<string, string>>> {
      const flat = (await app.redis.send(['HGETALL', keys.billing(id)], READ)) as readonly string[];
      return Object.fromEntries(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] as string]] : [])));
    },
    setBilling: (field: string, text: string) => app.redis.send(['HSET', keys.billing(id), field, text], WRITE),
  };
}

export const textOf = (atMs: number, counters: Partial<Counters>): string =>
  countersText({
    minute: Math.floor(atMs / MINUTE_MS),
    operationsThisMinute: 1,
    periodEndMs: periodOf(atMs).endMs,
    stockAtMs: atMs,
    ...counters,
  });
