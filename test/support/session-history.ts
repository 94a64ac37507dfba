/**
 * What was done to sessions, by whom at once, and what was answered; and whether there is an order of it all that explains every
 * answer. Versions say what the order of writes was: the rest is held against it, and against the time each call took.
 */
import { expect } from 'vitest';

/** Redis' clock and this one's are of one machine; what a timer and a reply may differ, ms. */
const SLACK_MS = 25;

/** A call, from just before it was made until its reply was there: ms of one clock. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What a call found of a session. `data` and `userId` where it tells them. */
export interface Sight {
  readonly version: number;
  readonly expiresAtMs: number;
  readonly data?: ReadonlyMap<string, string>;
  readonly userId?: string | null;
}

export interface Change {
  readonly set: ReadonlyMap<string, string>;
  readonly remove: readonly string[];
  readonly replace: boolean;
  readonly ifVersion: number | undefined;
}

/** One call about one session, by the secret it was asked with. */
export type SessionEvent = Span & { readonly secret: string } & (
    | { readonly did: 'create'; readonly sight: Sight }
    | { readonly did: 'look'; readonly sight: Sight | null }
    | { readonly did: 'update'; readonly change: Change; readonly sight: Sight | null }
    | {
        readonly did: 'rotate';
        readonly newSecret: string;
        readonly userId: string | null | undefined;
        readonly sight: Sight | null;
      }
    | { readonly did: 'conflict'; readonly ifVersion: number; readonly current: number }
    | { readonly did: 'terminate'; readonly found: boolean }
  );

/** All sessions of a user ended, but the one that has this secret. */
export interface UserEnd extends Span {
  readonly userId: string;
  readonly spared: { readonly ulid: string; readonly secret: string } | null;
}

interface State {
  readonly data: ReadonlyMap<string, string>;
  readonly userId: string | null;
  readonly secret: string;
  /** Of the write that led to it. */
  readonly span: Span;
}

const isWrite = (event: SessionEvent): event is Extract<SessionEvent, { sight: Sight | null }> & { sight: Sight } =>
  (event.did === 'create' || event.did === 'update' || event.did === 'rotate') && event.sight !== null;

/** The states by version, from 1 on. Fails unless acknowledged versions are 1, 2, 3, …, each once, and in the order of time. */
function statesOf(events: readonly SessionEvent[]): readonly State[] {
  const writes = events.filter(isWrite).sort((one, other) => one.sight.version - other.sight.version);
  expect(writes.map(({ sight }) => sight.version)).toEqual(writes.map((_write, i) => i + 1));
  const states: State[] = [];
  let latestFrom = 0;
  for (const write of writes) {
    const before = states.at(-1);
    expect(write.to, 'a write has a version of the time before it').toBeGreaterThan(latestFrom);
    latestFrom = Math.max(latestFrom, write.from);
    if (before !== undefined) expect(write.secret, 'a write by an id that was not good').toBe(before.secret);
    states.push(stateAfter(before, write));
  }
  return states;
}

function stateAfter(before: State | undefined, write: SessionEvent & { readonly sight: Sight | null }): State {
  const span = { from: write.from, to: write.to };
  if (write.did === 'create') {
    const { data = new Map(), userId = null } = write.sight as Sight;
    return { data, userId, secret: write.secret, span };
  }
  if (before === undefined) throw new Error('Changed before it was created');
  if (write.did === 'rotate') {
    const userId = write.userId === undefined ? before.userId : write.userId;
    return { ...before, userId, secret: write.newSecret, span };
  }
  if (write.did !== 'update') return before;
  const { set, remove, replace, ifVersion } = write.change;
  if (ifVersion !== undefined) expect(write.sight?.version).toBe(ifVersion + 1);
  const data = new Map(replace ? [] : before.data);
  for (const key of remove) data.delete(key);
  for (const [key, text] of set) data.set(key, text);
  return { ...before, data, span };
}

const sorted = (data: ReadonlyMap<string, string>) => [...data].sort(([one], [other]) => (one < other ? -1 : 1));

/** Fails unless there is one order of all calls that explains what each answered. `userEnds` are of the whole tenant. */
export function checkSession(ulid: string, events: readonly SessionEvent[], userEnds: readonly UserEnd[]): void {
  const states = statesOf(events);
  const sights = events.flatMap((event) =>
    'sight' in event && event.sight !== null ? [{ ...event, sight: event.sight }] : [],
  );
  /** A version that was there before the call began, whoever saw it. */
  const floor = ({ from }: Span) =>
    Math.max(1, ...sights.filter(({ to }) => to < from).map(({ sight }) => sight.version));
  /** A version that may have been there before it ended. */
  const ceiling = ({ to }: Span) => states.filter(({ span }) => span.from < to).length;
  const users = new Set(states.map(({ userId }) => userId));
  const [first] = states;
  if (first === undefined) throw new Error('Nothing is known of it');

  // One that is given another id meanwhile is not the one that is spared, any more or not yet.
  const mayEnd = userEnds.filter(
    ({ userId, spared }) =>
      users.has(userId) && (spared?.ulid !== ulid || states.some(({ secret }) => secret !== spared.secret)),
  );
  const mustEnd = mayEnd.filter(
    ({ from, spared }) => users.size === 1 && first.span.to < from && spared?.ulid !== ulid,
  );
  const leaves = (event: SessionEvent) =>
    events.find((one) => one.did === 'rotate' && one.sight !== null && one.secret === event.secret);
  const lives = (event: Span) =>
    Math.max(...sights.filter(({ to }) => to < event.from).map(({ sight }) => sight.expiresAtMs), first.span.from);
  /** By when it was certainly over, and for good: nothing that began later may find it. */
  const overBy = Math.min(
    ...mustEnd.map(({ to }) => to),
    ...events.flatMap((event) => {
      const gone = event.did === 'terminate' ? event.found : 'sight' in event && event.sight === null && !leaves(event);
      return gone ? [event.to] : [];
    }),
  );

  for (const event of events) {
    if (event.did === 'terminate') {
      if (!event.found) expectMissed(event);
      continue;
    }
    if (event.did === 'conflict') {
      expect(event.current).not.toBe(event.ifVersion);
      expect(event.current).toBeGreaterThanOrEqual(floor(event));
      expect(event.current).toBeLessThanOrEqual(ceiling(event));
      expect(event.from, 'it was over').toBeLessThanOrEqual(overBy);
      continue;
    }
    if (event.sight === null) {
      expectMissed(event);
      continue;
    }
    const { version, data, userId, expiresAtMs } = event.sight;
    expect(event.from, 'it was over, and is there again').toBeLessThanOrEqual(overBy);
    expect(expiresAtMs, 'it had expired').toBeGreaterThanOrEqual(event.from - SLACK_MS);
    expect(version, 'an older version than was seen before').toBeGreaterThanOrEqual(floor(event));
    expect(version, 'a version of later').toBeLessThanOrEqual(ceiling(event));
    const state = states[version - 1] as State;
    if (data !== undefined) expect(sorted(data)).toEqual(sorted(state.data));
    if (userId !== undefined && event.did !== 'create') expect(userId).toBe(state.userId);
    if (event.did === 'look') expect(event.secret, 'seen by an id that was not good').toBe(state.secret);
  }

  /** There was none: it may have been ended by then, or have expired, or have another id. */
  function expectMissed(event: SessionEvent): void {
    const rotated = leaves(event);
    const reasons = [
      rotated !== undefined && rotated.from < event.to,
      mayEnd.some(({ from }) => from < event.to),
      events.some((one) => one.did === 'terminate' && one.found && one.from < event.to),
      event.to >= lives(event) - SLACK_MS,
    ];
    expect(reasons, `${event.did} found nothing, and nothing had ended it`).toContain(true);
  }
}
