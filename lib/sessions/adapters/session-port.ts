/** What the adapters need of sessions: filled by the library (library-sessions.ts), or over HTTPS with a key (client-sessions.ts). */

/** A session as an adapter sees it. Times are Unix ms. */
export interface HeldSession {
  readonly id: string;
  /** Unless it is used before. */
  readonly expiresAtMs: number;
  /** How long it lives unused. */
  readonly ttlMs: number;
  /** JSON texts by key. */
  readonly data: ReadonlyMap<string, string>;
}

export interface SessionToMake {
  /** Absent: a new one. */
  readonly id?: string | undefined;
  readonly userId?: string | undefined;
  /** Whole seconds, in ms; absent: as the tenant is set. */
  readonly ttlMs?: number | undefined;
  /** JSON texts by key. */
  readonly data: ReadonlyMap<string, string>;
}

export interface KeyChanges {
  /** JSON texts by key. */
  readonly set: ReadonlyMap<string, string>;
  readonly remove: readonly string[];
}

/** Every call may throw an error with `code`, the problem's. */
export interface SessionPort {
  /** Null: there is none. `touch`: it is used by that, and lives its idle time on. */
  get(id: string, how: { readonly touch: boolean }): Promise<HeldSession | null>;
  /** The id; null: there is one with the id it was to have. @throws code `session_terminated`: the one with that id was ended. */
  create(session: SessionToMake): Promise<string | null>;
  /** Keys that are not named stay as they are. False: there is no such session, and none was made. */
  update(id: string, changes: KeyChanges): Promise<boolean>;
  /** All data becomes this. False: there is no such session, and none was made. */
  replace(id: string, data: ReadonlyMap<string, string>): Promise<boolean>;
  /** Has it live its idle time from now on, or `ttlMs` (whole seconds) from now on. False: there is no such session. */
  touch(id: string, ttlMs?: number): Promise<boolean>;
  /** The new id: the old one is dead. Null: there is no such session. `userId`: whose it becomes; absent: as before. */
  rotate(id: string, userId?: string): Promise<string | null>;
  /** Also well when there is none. */
  terminate(id: string): Promise<void>;
}
