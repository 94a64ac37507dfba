/** What express-session does with sessions, as promises; remembers what is stored of those it holds, and writes only what changed. */
import type { SessionData } from 'express-session';
import { derivedSessionId } from '../session-ids.ts';
import { changesBetween, cookieTtlMs, sessionFields, sessionTexts } from './express-session-texts.ts';
import type { SessionPort } from './session-port.ts';

/** What is known to be stored of a session that express-session holds. */
interface Known {
  readonly sid: string;
  readonly texts: ReadonlyMap<string, string>;
  /** Null: nobody chose one. */
  readonly ttlMs: number | null;
  /** When the service last took it as used, by `elapsed`, or a little later. */
  readonly usedAtMs: number;
}

/** The service lets the time a session was used lag by so much of its idle time: nothing is told it that would change nothing. */
const LAG = 0.01;
const MIN_LAG_MS = 1_000;

export type LoadedSessions = ReturnType<typeof createLoadedSessions>;

export function createLoadedSessions(deps: {
  readonly sessions: SessionPort;
  readonly secret: string;
  readonly maxTtlMs: number;
  readonly userIdOf: (session: SessionData) => string | undefined;
  /** Unix ms. */
  readonly now: () => number;
  /** Ms since some time; never set back. */
  readonly elapsed: () => number;
}) {
  const { sessions, secret, maxTtlMs, userIdOf, now, elapsed } = deps;
  const known = new WeakMap<object, Known>();
  /** Saves of one object go one after the other: each builds on what the one before stored. */
  const saves = new WeakMap<object, Promise<void>>();

  // As JSON, which no two texts share, whatever is in them.
  const idOf = (sid: string) => derivedSessionId(secret, 'express', JSON.stringify(sid));
  const ttlOf = (session: object) => cookieTtlMs(session, { nowMs: now(), maxMs: maxTtlMs });
  const knownOf = (sid: string, session: object) => {
    const before = known.get(session);
    return before?.sid === sid ? before : undefined;
  };

  const inTurn = (session: object, work: () => Promise<void>): Promise<void> => {
    const turn = (saves.get(session) ?? Promise.resolve()).then(work, work);
    saves.set(session, turn);
    return turn;
  };

  const end = (sid: string) => sessions.terminate(idOf(sid));

  const make = async (session: SessionData, { sid, texts, ttlMs }: Omit<Known, 'usedAtMs'>) => {
    const id = idOf(sid);
    const made = await sessions.create({ id, userId: userIdOf(session), ttlMs: ttlMs ?? undefined, data: texts });
    if (made !== null) return;
    // It was never loaded, and is there all the same: what is saved is all there is to be.
    if ((await sessions.replace(id, texts)) && ttlMs !== null) await sessions.touch(id, ttlMs);
  };

  const wasJustUsed = ({ usedAtMs, ttlMs }: Known) => elapsed() - usedAtMs < Math.max(MIN_LAG_MS, (ttlMs ?? 0) * LAG);

  /** Only where it is still there. @returns when the service was asked. */
  const change = async (before: Known, after: Omit<Known, 'usedAtMs'>): Promise<number> => {
    const id = idOf(after.sid);
    const changes = changesBetween(before.texts, after.texts);
    // The same as it was loaded with is nothing this request chose: one beside it may have chosen another.
    const ttlMs = after.ttlMs === before.ttlMs ? undefined : (after.ttlMs ?? undefined);
    if (changes.none && ttlMs === undefined && wasJustUsed(before)) return before.usedAtMs;
    const askedAtMs = elapsed();
    const alive = changes.none || (await sessions.update(id, changes));
    if (alive && (changes.none || ttlMs !== undefined)) await sessions.touch(id, ttlMs);
    return askedAtMs;
  };

  return {
    /** Being loaded is being used. */
    async load(sid: string): Promise<SessionData | null> {
      const usedAtMs = elapsed();
      const held = await sessions.get(idOf(sid), { touch: true });
      if (held === null) return null;
      const fields = sessionFields(held);
      known.set(fields, { sid, texts: sessionTexts(fields), ttlMs: held.ttlMs, usedAtMs });
      return fields as unknown as SessionData;
    },

    /** `session` was made of what `load` gave; it may lack keys that are names of its methods, which then stay as they are. */
    adopt(session: object, loaded: object): void {
      const before = known.get(loaded);
      if (before !== undefined) known.set(session, { ...before, texts: sessionTexts(session, before.texts) });
    },

    /** @throws {TypeError} it cannot be JSON. */
    async save(sid: string, session: SessionData): Promise<void> {
      // Now, as it is now: it may change before its turn comes.
      const after = { sid, texts: sessionTexts(session, knownOf(sid, session)?.texts), ttlMs: ttlOf(session) };
      return inTurn(session, async () => {
        if (after.ttlMs !== null && after.ttlMs <= 0) return end(sid);
        const before = knownOf(sid, session);
        let usedAtMs = elapsed();
        if (before === undefined) await make(session, after);
        else usedAtMs = await change(before, after);
        known.set(session, { ...after, usedAtMs });
      });
    },

    /** Has it live on. Of what it holds only the cookie is looked at, which express-session does not take for a change. */
    async keepAlive(sid: string, session: SessionData): Promise<void> {
      const cookie = sessionTexts({ cookie: session.cookie }, knownOf(sid, session)?.texts);
      const ttlMs = ttlOf(session);
      return inTurn(session, async () => {
        if (ttlMs !== null && ttlMs <= 0) return end(sid);
        const before = knownOf(sid, session);
        if (before === undefined) return void (await sessions.touch(idOf(sid), ttlMs ?? undefined));
        const after = { sid, texts: new Map([...before.texts, ...cookie]), ttlMs };
        known.set(session, { ...after, usedAtMs: await change(before, after) });
      });
    },

    /** Also well when there is none. */
    end,
  };
}
