/** Sessions of 4 KB, written by several at once, and looked for again. */
import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '../../lib/app.ts';
import { StorageFullError } from '../../lib/errors.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import type { OwnRedis } from './own-redis.ts';
import { callTogether } from './session-moves.ts';
import { sessionOf } from './session-shape.ts';
import { storedSessions } from './session-watch.ts';
import { percentile } from './statistics.ts';

const BYTES = 4_096;
const READERS = 16;
/** Before a refused one is asked for again, ms. */
const REFUSED_MS = 200;

export interface Written {
  readonly caller: Caller;
  readonly id: string;
  readonly user: number;
}

/** Creates sessions of the tenants by turns; those refused for want of room are asked for again. Times in ms. */
export async function writeAll(
  { sessions }: App,
  callers: readonly Caller[],
  { total, writers }: { readonly total: number; readonly writers: number },
) {
  const written: Written[] = [];
  const times: number[] = [];
  let refusals = 0;
  const create = async (caller: Caller, user: number): Promise<string> => {
    for (;;) {
      try {
        return (await sessions.create(caller, sessionOf(user, BYTES))).id;
      } catch (error) {
        if (!(error instanceof StorageFullError)) throw error;
        refusals++;
        await delay(REFUSED_MS);
      }
    }
  };
  const startedAt = performance.now();
  await callTogether(total, writers, async (user) => {
    const caller = callers[user % callers.length] as Caller;
    const calledAt = performance.now();
    const id = await create(caller, user);
    times.push(performance.now() - calledAt);
    written.push({ caller, id, user });
  });
  const perSecond = (total * 1_000) / (performance.now() - startedAt);
  return { sessions: written, perSecond, refusals, p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
}

/** Sessions that are not there, or have other data than was written. */
export async function countMissing({ sessions }: App, written: readonly Written[]): Promise<number> {
  let missing = 0;
  await callTogether(written.length, READERS, async (turn) => {
    const { caller, id, user } = written[turn] as Written;
    const found = await sessions.get(caller, id, { touch: false });
    const { data = new Map() } = sessionOf(user, BYTES);
    const same = found?.data.size === data.size && [...data].every(([key, text]) => found.data.get(key) === text);
    if (!same) missing++;
  });
  return missing;
}

/** Sessions counted, listed or stored other than once. */
export async function countDoubled(
  { app, redis }: OwnRedis,
  callers: readonly Caller[],
  total: number,
): Promise<number> {
  const all = await Promise.all(callers.map(({ tenantId }) => storedSessions(app, redis, tenantId)));
  const sum = (of: (one: (typeof all)[number]) => number) => all.reduce((before, one) => before + of(one), 0);
  return Math.max(
    Math.abs(sum(({ counted }) => counted) - total),
    Math.abs(sum(({ listed }) => listed) - total),
    Math.abs(sum(({ hot, spilled }) => hot + spilled) - total),
    sum(({ objects, spilled }) => Math.abs(objects - spilled)),
  );
}
