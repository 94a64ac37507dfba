/** The session of one request: read when it is first asked for, written once, when the request is done. */
import type { HeldSession, SessionPort } from './session-port.ts';

/** What a handler has of the visitor's session. Values are JSON; each call of `get` gives one of its own. */
export interface CookieSession {
  /** Undefined: there is no such key. The first call reads the session, which lives on by that. */
  get(key: string): Promise<unknown>;
  /** Kept when the handler is done. A visitor who has no session gets one. @throws {TypeError} no JSON: `undefined`, a function. */
  set(key: string, value: unknown): void;
  remove(key: string): void;
  /**
   * Gives the session another id, now; the old one is dead. Call it when somebody signs in, so that nobody who knew the id before
   * has a part in it. A visitor who has no session gets one. @param userId whose it becomes; absent: as before.
   */
  rotate(userId?: string): Promise<void>;
  /** Ends it, now, for good; the browser forgets its id. */
  destroy(): Promise<void>;
}

export interface RequestSession {
  readonly session: CookieSession;
  /** Writes what was set and removed. */
  finish(): Promise<void>;
  /** What the browser is to be told: a new id, null to forget the old one, undefined nothing. */
  news(): string | null | undefined;
}

/** @param given the id that came with the request; null: none. @param ttlMs of new sessions; absent: as the tenant is set. */
export function createRequestSession(
  sessions: SessionPort,
  given: string | null,
  ttlMs: number | undefined,
): RequestSession {
  const set = new Map<string, string>();
  const removed = new Set<string>();
  let id = given;
  let news: string | null | undefined;
  let loading: Promise<HeldSession | null> | undefined;
  /** Null: it was looked for, and there is none. Undefined: nobody looked. */
  let held: HeldSession | null | undefined;

  const load = () => {
    const current = id;
    loading ??= (current === null ? Promise.resolve(null) : sessions.get(current, { touch: true })).then(
      (found) => {
        if (id === current) held = found;
        return found;
      },
      (error: unknown) => {
        loading = undefined;
        throw error;
      },
    );
    return loading;
  };

  const become = (next: string | null) => {
    id = next;
    news = next;
  };
  const forget = () => {
    set.clear();
    removed.clear();
    loading = undefined;
    held = undefined;
  };

  // Never under the id that came: who made it up would know it.
  const make = async (userId?: string) => {
    const made = await sessions.create({ userId, ttlMs, data: new Map(set) });
    forget();
    become(made);
  };

  /** Undefined: nothing is to be written. False: there is no such session, and there may never have been. */
  const write = async (current: string): Promise<boolean | undefined> => {
    const before = held?.data;
    const sets = new Map([...set].filter(([key, text]) => before?.get(key) !== text));
    const remove = [...removed].filter((key) => before === undefined || before.has(key));
    if (held === null) return false;
    if (sets.size === 0 && remove.length === 0) return undefined;
    const alive = await sessions.update(current, { set: sets, remove });
    // It was there when the handler looked: somebody has ended it, or given it another id, since. It stays ended.
    return alive || held !== undefined ? undefined : false;
  };

  const session: CookieSession = {
    async get(key) {
      const stored = set.has(key) || removed.has(key) ? null : await load();
      const text = set.get(key) ?? (removed.has(key) ? undefined : stored?.data.get(key));
      return text === undefined ? undefined : JSON.parse(text);
    },
    set(key, value) {
      const text = JSON.stringify(value) as string | undefined;
      if (text === undefined) throw new TypeError('A session keeps JSON: to take a key out, call remove');
      set.set(key, text);
      removed.delete(key);
    },
    remove(key) {
      set.delete(key);
      removed.add(key);
    },
    async rotate(userId) {
      const next = id === null ? null : await sessions.rotate(id, userId);
      if (next === null) await make(userId);
      else become(next);
    },
    async destroy() {
      if (id === null) return forget();
      await sessions.terminate(id);
      forget();
      become(null);
    },
  };

  return {
    session,
    async finish() {
      if (set.size === 0 && removed.size === 0) return;
      const done = id === null ? false : await write(id);
      if (done === false && set.size > 0) await make();
    },
    news: () => news,
  };
}
