/**
 * A store for express-session. A save writes the top-level keys that changed since the session was loaded, and only while it is
 * there: requests of one session at the same time lose nothing of each other, and a slow one does not bring back what was ended.
 */
import type { SessionData, Store } from 'express-session';
import { createLoadedSessions } from './loaded-sessions.ts';
import type { SessionPort } from './session-port.ts';
import { SessionStoreError } from './session-store-error.ts';

export interface ExpressStoreOptions {
  /** `session.Store` of express-session. */
  readonly Store: abstract new () => Store;
  readonly sessions: SessionPort;
  /** The service's ids are made by it of express-session's. With another one no session is found any more. */
  readonly secret: string;
  /** The most a session lives unused, whatever its cookie says; not more than the tenant's sessions may. Default 30 days. */
  readonly maxTtlSeconds?: number | undefined;
  /** Whose a session is, so that the service can list and end those of a user. Asked when it is made: regenerate at sign-in. */
  readonly userIdOf?: ((session: SessionData) => string | undefined) | undefined;
}

type Done<T = void> = (error?: unknown, value?: T) => void;

const MAX_TTL_SECONDS = 2_592_000;

/**
 * Has `get`, `set`, `destroy` and `touch`; a request that only reads its session is one call of the service, because being read is
 * being used. Not `all`, `length` and `clear`: the service lists sessions by user only. Nor does it send
 * `disconnect`, after which requests would go on without their sessions: what fails is told to the callback, as a
 * {@link SessionStoreError}.
 * @example app.use(session({ store: createExpressStore({ Store: session.Store, sessions, secret }), secret, resave: false, saveUninitialized: false }));
 * @throws {TypeError} an empty secret.
 */
export function createExpressStore(options: ExpressStoreOptions): Store {
  const { sessions, secret, maxTtlSeconds = MAX_TTL_SECONDS, userIdOf = () => undefined } = options;
  if (secret === '') throw new TypeError('The store needs a secret');
  const clocks = { now: Date.now, elapsed: () => performance.now() };
  const loaded = createLoadedSessions({ sessions, secret, maxTtlMs: maxTtlSeconds * 1_000, userIdOf, ...clocks });
  // Abstract in its types only.
  const store = new (options.Store as unknown as new () => Store)();
  const { createSession } = store;
  return Object.assign(store, {
    get: (sid: string, done: Done<SessionData | null>) => answer(loaded.load(sid), done),
    set: (sid: string, session: SessionData, done?: Done) => answer(loaded.save(sid, session), done),
    touch: (sid: string, session: SessionData, done?: Done) => answer(loaded.keepAlive(sid, session), done),
    destroy: (sid: string, done?: Done) => answer(loaded.end(sid), done),
    createSession(this: Store, ...[request, data]: Parameters<Store['createSession']>) {
      const session = createSession.call(this, request, data);
      loaded.adopt(session, data);
      return session;
    },
  });
}

/** Once, and out of the promise: what the callback throws is not the store's failure. Where there is none, a failure is thrown. */
function answer<T>(work: Promise<T>, done: Done<T> = raise): void {
  work.then(
    (value) => setImmediate(done, null, value),
    (error: unknown) => setImmediate(done, new SessionStoreError(error)),
  );
}

const raise = (error?: unknown) => {
  if (error) throw error;
};
