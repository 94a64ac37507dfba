/** Has a tenant served from the generation that was loaded. No session that was ended meanwhile comes back with it. */
import { OutcomeUnknownError } from '../../errors.ts';
import type { TenantId } from '../../ids.ts';
import type { Keys } from '../../keys.ts';
import { beginFeed, type Flipped, flipGeneration } from '../../redis/bindings/checkpoint-scripts.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { runScript } from '../../redis/script.ts';
import type { LoadedStock } from './loaded-stock.ts';

export interface FlipOrder {
  readonly id: TenantId;
  readonly from: number;
  readonly to: number;
  readonly stock: LoadedStock;
  /** Epoch of the feed that began before the first record was loaded: since then sessions may have ended. */
  readonly since: number;
  /** What the tenant's slot is to say of it: switch-mark.ts. */
  readonly mark: string;
}

/** Sessions that changed under the newest epoch, looked at within the flip. */
const MAX_CHANGED = 500;
/** Sessions that ended while the tenant was loaded; of more it is loaded anew. */
const MAX_DEAD = 2_000;
const PAGE = 500;
const MAX_TRIES = 50;

export type Flip = ReturnType<typeof createFlip>;

export function createFlip({ redis, keys }: { readonly redis: RedisDriver; readonly keys: Keys }) {
  const begin = ({ id }: FlipOrder, signal: AbortSignal) =>
    runScript(redis, beginFeed, {
      keys: { gate: keys.gate(id), invalidated: keys.invalidated(id) },
      args: {},
      kind: 'write',
      signal,
    });

  /** Sessions that changed under these epochs, both included; behind a member. */
  const changed = async ({ id, from }: FlipOrder, { first, last, limit }: Range, signal: AbortSignal) =>
    (await redis.send(['ZRANGE', keys.index(id, from), first, last, 'BYLEX', 'LIMIT', 0, limit], {
      kind: 'read',
      signal,
    })) as readonly string[];

  const sessionKey = ({ id, to }: FlipOrder, member: string): string => keys.session(id, to, member.slice(-26));

  /** Of sessions that are loaded, those that were ended: their keys. Reads only. */
  const deadOf = async (
    order: FlipOrder,
    members: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly string[]> => {
    if (members.length === 0) return [];
    const records = members.map((member) => sessionKey(order, member));
    const heads = await redis.sendAll(
      records.flatMap((key) => [['HGET', key, 'h'] as const, ['GET', key] as const]),
      { kind: 'read', signal },
    );
    const marks = records.map((_, i) => {
      const text = [heads[2 * i], heads[2 * i + 1]].find((each) => typeof each === 'string');
      return `${(members[i] as string).slice(-26)}-${typeof text === 'string' ? text.split(',', 4)[3] : ''}`;
    });
    const scores = (await redis.send(['ZMSCORE', keys.deadSessions(order.id), ...marks], {
      kind: 'read',
      signal,
    })) as readonly unknown[];
    return records.filter((_, i) => scores[i] !== null);
  };

  /** Of all that changed under epochs that have ended. Null: too many were. */
  const deadBefore = async (
    order: FlipOrder,
    until: number,
    signal: AbortSignal,
  ): Promise<readonly string[] | null> => {
    const dead: string[] = [];
    let first = `[w\0${digits(order.since)}\0`;
    for (;;) {
      const range = { first, last: `(w\0${digits(until)}\0`, limit: PAGE };
      const members = await changed(order, range, signal);
      dead.push(
        ...(await deadOf(
          order,
          members.filter((member) => member.slice(16, 19) === '\0s\0'),
          signal,
        )),
      );
      if (dead.length > MAX_DEAD) return null;
      if (members.length < PAGE) return dead;
      first = `(${members.at(-1)}`;
    }
  };

  const flip = (
    order: FlipOrder,
    dead: readonly string[],
    open: { epoch: number; members: readonly string[] },
    signal: AbortSignal,
  ) => {
    const { id, from, to, stock, mark } = order;
    const sessions = [...new Set([...dead, ...open.members.map((member) => sessionKey(order, member))])];
    const { entries, memory, storage, raw, packed, hotBytes, spilled, spilledBytes, seq } = stock;
    const counts = {
      entries,
      memory,
      storage,
      raw,
      packed,
      sessions: stock.sessions,
      hotBytes,
      spilled,
      spilledBytes,
      seq,
    };
    return runScript(redis, flipGeneration, {
      keys: {
        gate: keys.gate(id),
        generations: keys.generations(id),
        invalidated: keys.invalidated(id),
        old: keys.index(id, from),
        index: keys.index(id, to),
        dead: keys.deadSessions(id),
        mark: keys.switchMark(id),
        sessions,
      },
      args: { from, to, ...counts, epoch: open.epoch, changed: open.members.length, mark },
      kind: 'write',
      signal,
    });
  };

  return {
    /**
     * @returns what it came to; null: so many sessions were ended meanwhile that the tenant is to be loaded anew.
     * @throws {OutcomeUnknownError} it is to be tried again: done twice, the second finds it done.
     */
    async run(order: FlipOrder, signal: AbortSignal): Promise<Flipped | null> {
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const feed = await begin(order, signal);
        if (feed === null) return { outcome: 'no_tenant' };
        if (feed.generation === order.to) return { outcome: 'before' };
        const dead = await deadBefore(order, feed.epoch, signal);
        if (dead === null) return null;
        const range = `w\0${digits(feed.epoch)}\0s`;
        for (;;) {
          const now = { first: `[${range}\0`, last: `(${range}\x01`, limit: MAX_CHANGED + 1 };
          const members = await changed(order, now, signal);
          if (members.length > MAX_CHANGED) break;
          const flipped = await flip(order, dead, { epoch: feed.epoch, members }, signal);
          if (flipped.outcome !== 'changed') return flipped;
        }
      }
      throw new OutcomeUnknownError('The tenant changes faster than it can be switched over: it is tried again');
    },
  };
}

interface Range {
  readonly first: string;
  readonly last: string;
  readonly limit: number;
}

const digits = (epoch: number): string => String(epoch).padStart(14, '0');
