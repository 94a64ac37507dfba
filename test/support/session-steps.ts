/** Steps of a run beside a model: what actors do to the sessions of one tenant, all at once. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { App } from '../../lib/app.ts';
import { SessionIdError, StorageFullError, VersionConflictError } from '../../lib/errors.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { sessionParts } from '../../lib/sessions/session-ids.ts';
import type { Change, SessionEvent, Sight, Span, UserEnd } from './session-history.ts';
import { spillToolsOn, texts } from './spill-tools.ts';

const USERS = ['ada', 'bob'] as const;
const KEYS = ['a', 'b', 'c', 'd'] as const;
const IDLE_MS = [1_000, 2_000, 60_000] as const;

const which = fc.nat(40);
const userId = fc.constantFrom(...USERS);
const value = fc.record({ key: fc.constantFrom(...KEYS), bytes: fc.constantFrom(1, 10, 200, 1_500, 6_000) });

const named = <const Name extends string>(name: Name) => fc.constant(name);

export const sessionStep = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: named('create'), userId, idleMs: fc.constantFrom(...IDLE_MS), value }) },
  { weight: 28, arbitrary: fc.record({ do: named('get'), which, touch: fc.boolean(), old: fc.nat(9) }) },
  {
    weight: 28,
    arbitrary: fc.record({
      do: named('update'),
      which,
      set: fc.array(value, { maxLength: 2 }),
      remove: fc.array(fc.constantFrom(...KEYS), { maxLength: 2 }),
      replace: fc.nat(9),
      ifVersion: fc.constantFrom('no', 'no', 'no', 'seen', 'wrong'),
      old: fc.nat(9),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: named('touch'), which }) },
  { weight: 6, arbitrary: fc.record({ do: named('rotate'), which, userId: fc.option(userId), old: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ do: named('terminate'), which, old: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: named('terminateUser'), userId, spare: fc.option(which), rare: fc.nat(4) }) },
  { weight: 3, arbitrary: fc.record({ do: named('create again'), which }) },
  { weight: 9, arbitrary: fc.record({ do: named('spill'), batches: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ do: named('list'), userId }) },
  { weight: 2, arbitrary: fc.record({ do: named('clean') }) },
);
export type SessionStep = typeof sessionStep extends fc.Arbitrary<infer S> ? S : never;

/** A session as the actors know it: every id it had, the last one good. */
interface Known {
  readonly ulid: string;
  readonly ids: string[];
  version: number;
  ended: boolean;
  readonly events: SessionEvent[];
}

export interface SessionRun {
  readonly sessions: readonly Known[];
  readonly userEnds: readonly UserEnd[];
  readonly counts: Readonly<Record<string, number>>;
  /** As one actor, with an instance of its own. */
  take(app: App, step: SessionStep): Promise<void>;
  /** Looks at every session once more. */
  lookAll(app: App): Promise<void>;
}

/** @param now ms of a clock that is Redis' own, and never goes back. */
export function createSessionRun(caller: Caller, now: () => number): SessionRun {
  const sessions: Known[] = [];
  const userEnds: UserEnd[] = [];
  const counts: Record<string, number> = {};
  let written = 0;
  const count = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1;
  };

  const textOf = (bytes: number) => `${written++}${'x'.repeat(bytes)}`;
  const timed = async <T>(work: () => Promise<T>): Promise<Span & { readonly reply: T }> => {
    const from = now();
    const reply = await work();
    return { from, to: now(), reply };
  };
  /** Undefined: refused, and nothing was changed. */
  const unlessFull = <T>(work: () => Promise<T>) =>
    work().catch((error: unknown) => {
      if (!(error instanceof StorageFullError)) throw error;
      count('full');
      return undefined;
    });

  /** One of the latest; by an id it had before when `old` is 0. */
  const choose = (
    n: number,
    old = 1,
  ): { readonly known: Known; readonly id: string; readonly secret: string } | null => {
    const known = sessions[sessions.length - 1 - (n % Math.min(sessions.length, n % 2 === 0 ? 3 : 12))];
    if (known === undefined) return null;
    const id = (old === 0 ? known.ids[0] : known.ids.at(-1)) as string;
    return { known, id, secret: sessionParts(id).secret };
  };

  const create = async (app: App, step: Extract<SessionStep, { do: 'create' }>) => {
    const { key, bytes } = step.value;
    const data = texts({ [key]: textOf(bytes) });
    const { from, to, reply } = await timed(() =>
      unlessFull(() => app.sessions.create(caller, { userId: step.userId, ttlMs: step.idleMs, data })),
    );
    if (reply === undefined) return;
    const { ulid, secret } = sessionParts(reply.id);
    count(`created ${reply.tier}`);
    const event = { did: 'create', from, to, secret, sight: sightOf(reply) } as const;
    sessions.push({ ulid, ids: [reply.id], version: 1, ended: false, events: [event] });
  };

  const get = async (app: App, step: Pick<Extract<SessionStep, { do: 'get' }>, 'which' | 'touch' | 'old'>) => {
    const chosen = choose(step.which, step.old);
    if (chosen === null) return;
    const { known, id, secret } = chosen;
    const { from, to, reply } = await timed(() => app.sessions.get(caller, id, { touch: step.touch }));
    count(reply === null ? 'missed' : `got ${reply.tier}`);
    known.events.push({ did: 'look', from, to, secret, sight: reply === null ? null : sightOf(reply) });
    if (reply !== null) known.version = Math.max(known.version, reply.version);
  };

  const update = async (app: App, step: Extract<SessionStep, { do: 'update' }>) => {
    const chosen = choose(step.which, step.old);
    if (chosen === null) return;
    const { known, id, secret } = chosen;
    const set = texts(Object.fromEntries(step.set.map(({ key, bytes }) => [key, textOf(bytes)])));
    const replace = step.replace === 0;
    const ifVersion = { no: undefined, seen: known.version, wrong: known.version + 1_000 }[step.ifVersion];
    const change: Change = { set, remove: step.remove.filter((key) => !set.has(key)), replace, ifVersion };
    const { from, to, reply } = await timed(() =>
      unlessFull(() => app.sessions.update(caller, id, change)).catch(conflictOf),
    );
    if (reply === undefined) return;
    if (reply instanceof VersionConflictError) {
      const current = Number((reply.details as { current_version: number }).current_version);
      known.events.push({ did: 'conflict', from, to, secret, ifVersion: ifVersion ?? 0, current });
      return count('conflicts');
    }
    count(reply === null ? 'missed' : 'updated');
    known.events.push({ did: 'update', from, to, secret, change, sight: reply });
    if (reply !== null) known.version = Math.max(known.version, reply.version);
  };

  const touch = async (app: App, step: Extract<SessionStep, { do: 'touch' }>) => {
    const chosen = choose(step.which);
    if (chosen === null) return;
    const { known, id, secret } = chosen;
    const { from, to, reply } = await timed(() => app.sessions.touch(caller, id));
    count(reply === null ? 'missed' : 'touched');
    known.events.push({ did: 'look', from, to, secret, sight: reply });
  };

  const rotate = async (app: App, step: Extract<SessionStep, { do: 'rotate' }>) => {
    const chosen = choose(step.which, step.old);
    if (chosen === null) return;
    const { known, id, secret } = chosen;
    const asked = step.userId ?? undefined;
    const { from, to, reply } = await timed(() => unlessFull(() => app.sessions.rotate(caller, id, { userId: asked })));
    if (reply === undefined) return;
    count(reply === null ? 'missed' : 'rotated');
    const newSecret = reply === null ? '' : sessionParts(reply.id).secret;
    const sight = reply === null ? null : { version: reply.version, expiresAtMs: reply.expiresAtMs };
    known.events.push({ did: 'rotate', from, to, secret, newSecret, userId: asked, sight });
    if (reply !== null) known.ids.push(reply.id);
  };

  const terminate = async (app: App, step: Extract<SessionStep, { do: 'terminate' }>) => {
    const chosen = choose(step.which, step.old);
    if (chosen === null) return;
    const { known, id, secret } = chosen;
    const { from, to, reply: found } = await timed(() => app.sessions.terminate(caller, id));
    count(found ? 'terminated' : 'missed');
    known.events.push({ did: 'terminate', from, to, secret, found });
    if (found) known.ended = true;
  };

  const terminateUser = async (app: App, step: Extract<SessionStep, { do: 'terminateUser' }>) => {
    if (step.rare !== 0) return;
    const chosen = step.spare === null ? null : choose(step.spare);
    const except = chosen?.id;
    const { from, to } = await timed(() => app.sessions.terminateUser(caller, step.userId, { except }));
    count('users ended');
    const spared = chosen === null ? null : { ulid: chosen.known.ulid, secret: chosen.secret };
    userEnds.push({ from, to, userId: step.userId, spared });
  };

  /** By an id that is dead, or not the session's any more: never. */
  const createAgain = async (app: App, step: Extract<SessionStep, { do: 'create again' }>) => {
    const known = choose(step.which)?.known;
    if (known === undefined || (!known.ended && known.ids.length === 1)) return;
    const id = known.ids[0] as string;
    await expect(unlessFull(() => app.sessions.create(caller, { id }))).rejects.toBeInstanceOf(SessionIdError);
    count('created again: refused');
  };

  return {
    sessions,
    userEnds,
    counts,
    async take(app, step) {
      switch (step.do) {
        case 'create':
          return create(app, step);
        case 'get':
          return get(app, step);
        case 'update':
          return update(app, step);
        case 'touch':
          return touch(app, step);
        case 'rotate':
          return rotate(app, step);
        case 'terminate':
          return terminate(app, step);
        case 'terminateUser':
          return terminateUser(app, step);
        case 'create again':
          return createAgain(app, step);
        case 'spill': {
          const place = { id: caller.tenantId, generation: 1 };
          const { spilled } = await spillToolsOn(app).spiller.spillTo(place, 0, { maxBatches: step.batches });
          counts.spilled = (counts.spilled ?? 0) + spilled;
          return;
        }
        case 'list': {
          const { items } = await app.sessions.list(caller, step.userId, { limit: 100 });
          expect(items.every((item) => item.userId === step.userId)).toBe(true);
          return;
        }
        case 'clean':
          await app.cleanUp.run();
          return count('cleaned');
      }
    },
    async lookAll(app) {
      for (let n = 0; n < sessions.length; n++) {
        const known = sessions[n] as Known;
        const { secret } = sessionParts(known.ids.at(-1) as string);
        const { from, to, reply } = await timed(() =>
          app.sessions.get(caller, known.ids.at(-1) as string, { touch: false }),
        );
        known.events.push({ did: 'look', from, to, secret, sight: reply === null ? null : sightOf(reply) });
      }
    },
  };
}

const sightOf = ({
  version,
  expiresAtMs,
  data,
  userId,
}: Required<Omit<Sight, 'userId'>> & Pick<Sight, 'userId'>): Sight => ({
  version,
  expiresAtMs,
  data,
  userId: userId ?? null,
});

const conflictOf = (error: unknown): VersionConflictError => {
  if (error instanceof VersionConflictError) return error;
  throw error;
};
