/** Bindings: what checkpoints read, and how a restore puts it back. */
import type { RedisReply } from '../driver.ts';
import { asInteger, asList, asText, asTextOrNull } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import beginFeedLua from '../scripts/begin-feed.lua';
import beginGenerationLua from '../scripts/begin-generation.lua';
import flipGenerationLua from '../scripts/flip-generation.lua';
import loadRecordsLua from '../scripts/load-records.lua';
import readRecordsLua from '../scripts/read-records.lua';
import reinstateSessionLua from '../scripts/reinstate-session.lua';
import reviveTenantLua from '../scripts/revive-tenant.lua';
import takeTurnLua from '../scripts/take-turn.lua';
import trimFeedLua from '../scripts/trim-feed.lua';

/** A feed that has begun anew. */
export interface BegunFeed {
  readonly generation: number;
  readonly seq: number;
  /** Under which changes were told of until now, Unix ms; 0: of none were. */
  readonly before: number;
  /** Changes are kept from this epoch on; 0: there were none. */
  readonly first: number;
  /** That begins now, Unix ms. */
  readonly epoch: number;
  readonly nowMs: number;
  /** Field `m` of the gate. */
  readonly counters: string;
  /** Epoch of all entries, then name and epoch by turns: `n:<namespace>`, `t:<tag>`. */
  readonly epochs: readonly [all: number, ...names: readonly string[]];
}

/** Null: there is no such tenant. */
export const beginFeed = defineScript({
  name: 'begin-feed',
  source: beginFeedLua,
  keys: ['gate', 'invalidated'],
  args: [],
  reply: (raw): BegunFeed | null => {
    const [state, ...rest] = asList(raw);
    if (state !== 1) return null;
    const [generation, seq, before, first, epoch, nowMs, counters, all, ...names] = rest;
    return {
      generation: Number(generation),
      seq: Number(seq),
      before: Number(before),
      first: Number(first),
      epoch: Number(epoch),
      nowMs: asInteger(nowMs),
      counters: asText(counters),
      epochs: [Number(all), ...names.map(asText)],
    };
  },
});

/** @returns how many members were removed. */
export const trimFeed = defineScript({
  name: 'trim-feed',
  source: trimFeedLua,
  keys: ['gate', 'index'],
  args: ['epoch', 'limit'],
  runsWhenFull: true,
  reply: (raw) => asInteger(asList(raw)[0]),
});

/** @returns the generation to load. */
export const beginGeneration = defineScript({
  name: 'begin-generation',
  source: beginGenerationLua,
  keys: ['gate', 'generations'],
  args: [],
  reply: (raw) => asInteger(asList(raw)[0]),
});

/** What flipping has come to. */
export type Flipped =
  | { readonly outcome: 'done'; readonly epoch: number; readonly first: number }
  | { readonly outcome: 'before' | 'deleted' | 'no_tenant' | 'changed' }
  | { readonly outcome: 'other'; readonly generation: number }
  | { readonly outcome: 'share'; readonly share: number; readonly epoch: number };

export const flipGeneration = defineScript({
  name: 'flip-generation',
  source: flipGenerationLua,
  keys: ['gate', 'generations', 'invalidated', 'old', 'index', 'dead', 'mark', '...sessions'],
  args: [
    'from',
    'to',
    'memory',
    'entries',
    'storage',
    'raw',
    'packed',
    'sessions',
    'hotBytes',
    'spilled',
    'spilledBytes',
    'seq',
    'epoch',
    'changed',
    'mark',
  ],
  reply: (raw): Flipped => {
    const [state, first = 0, second = 0] = asList(raw).map(Number);
    if (state === 1) return { outcome: 'done', epoch: first, first: second };
    if (state === 3) return { outcome: 'other', generation: first };
    if (state === 5) return { outcome: 'share', share: first, epoch: second };
    if (state === 6) return { outcome: 'changed' };
    return { outcome: state === 2 ? 'before' : state === 4 ? 'deleted' : 'no_tenant' };
  },
});

export const reviveTenant = defineScript({
  name: 'revive-tenant',
  source: reviveTenantLua,
  keys: ['gate', 'record', 'keys', 'billing', 'erased', 'generations', 'mark', 'requests'],
  args: ['record', 'generation', 'mark', 'gateFields', 'keyFields', 'billingFields', '...fields'],
  reply: (raw): 'done' | 'there' | 'erased' | 'given_up' => {
    const state = asInteger(asList(raw)[0]);
    return state === 1 ? 'done' : state === 2 ? 'there' : state === 3 ? 'erased' : 'given_up';
  },
});

/** False: the generation is not loaded any more, and nothing was written. */
export const loadRecords = defineScript({
  name: 'load-records',
  source: loadRecordsLua,
  keys: ['gate', 'generations', 'index', '...records'],
  args: ['generation', 'added', 'removed', '...values'],
  reply: (raw) => asInteger(asList(raw)[0]) === 1,
});

/** Fewer than were asked for: the rest is left to another call. Fields and values by turns of a hash; null: it is gone. */
export const readRecords = defineScript({
  name: 'read-records',
  source: readRecordsLua,
  keys: ['...records'],
  args: ['maxBytes'],
  reply: (raw) =>
    asList(raw).map((record) =>
      Array.isArray(record) ? (record as readonly string[]) : asTextOrNull(record as RedisReply),
    ),
});

/** Null: it is the caller's; else who has it. */
export const takeTurn = defineScript({
  name: 'take-turn',
  source: takeTurnLua,
  keys: ['turn'],
  args: ['token', 'forMs', 'instead'],
  reply: (raw) => {
    const [state, holder] = asList(raw);
    return state === 1 ? null : asText(holder);
  },
});

const REINSTATED = {
  0: 'no_tenant',
  1: 'done',
  2: 'done',
  5: 'memory_full',
  6: 'terminated',
  7: 'rotated',
  8: 'storage_full',
  9: 'expired',
  12: 'object_gone',
} as const;

export type Reinstated = (typeof REINSTATED)[keyof typeof REINSTATED];

export const reinstateSession = defineScript({
  name: 'reinstate-session',
  source: reinstateSessionLua,
  keys: ['gate', 'session', 'index', 'dead'],
  args: ['header', 'object', 'place', 'meta', 'until'],
  reply: (raw): Reinstated => REINSTATED[asInteger(asList(raw)[0]) as keyof typeof REINSTATED],
});
