/** The store beside the words of express-session's README ("Session Store Implementation"). Its own store shows that the suite is fair. */
import { EventEmitter } from 'node:events';
import session, { type SessionData, type Store } from 'express-session';
import { describe, expect, it } from 'vitest';
import { createExpressStore } from '../../lib/sessions/adapters/express-store.ts';
import { SessionStoreError } from '../../lib/sessions/adapters/session-store-error.ts';
import { pollUntil } from '../support/poll-until.ts';
import { openPort, PORTS, type PortName } from '../support/session-ports.ts';

const SECRET = 'a secret of the tests';

async function openStore(name: PortName): Promise<Store> {
  const { port } = await openPort(name);
  return createExpressStore({ Store: session.Store, sessions: port, secret: SECRET });
}

const dataOf = (fields: object, maxAgeMs: number | null = null): SessionData => {
  const cookie = new session.Cookie();
  if (maxAgeMs !== null) cookie.maxAge = maxAgeMs;
  return { cookie, ...fields } as SessionData;
};

const promised = <T>(start: (done: (error?: unknown, value?: T) => void) => void) =>
  new Promise<T>((resolve, reject) => start((error, value) => (error ? reject(error) : resolve(value as T))));
const get = (store: Store, sid: string) => promised<SessionData | null>((done) => store.get(sid, done));
const set = (store: Store, sid: string, data: SessionData) => promised<void>((done) => store.set(sid, data, done));
const touch = (store: Store, sid: string, data: SessionData) =>
  promised<void>((done) => store.touch?.(sid, data, done as () => void));
const destroy = (store: Store, sid: string) => promised<void>((done) => store.destroy(sid, done));
const fieldsOf = (data: SessionData | null) => {
  if (!data) return null;
  const { cookie: _cookie, ...fields } = data;
  return fields;
};

describe.each([...PORTS, 'its own store'] as const)('a store of express-session: %s [S2 S3]', (name) => {
  const open = async () => (name === 'its own store' ? new session.MemoryStore() : openStore(name));

  it('is an EventEmitter with the required and the recommended methods', async () => {
    const store = await open();
    expect(store).toBeInstanceOf(EventEmitter);
    expect(store).toBeInstanceOf(session.Store);
    for (const method of ['get', 'set', 'destroy', 'touch'] as const) expect(store[method]).toBeTypeOf('function');
  });

  it('gives what was set, and nothing of what was not', async () => {
    const store = await open();
    const fields = { user: 'ada', cart: [{ id: 1, n: 2.5 }], deep: { a: [null, true, ''] }, 'ключ ☃': '\u0000"\\' };
    await set(store, 'one', dataOf(fields));
    expect(fieldsOf(await get(store, 'one'))).toEqual(fields);
    expect((await get(store, 'two')) ?? null).toBeNull();
  });

  it('keeps the cookie', async () => {
    const store = await open();
    const data = dataOf({}, 60_000);
    Object.assign(data.cookie, { httpOnly: false, sameSite: 'strict', path: '/shop' });
    await set(store, 'one', data);
    const { cookie } = (await get(store, 'one')) as SessionData;
    expect(cookie).toMatchObject({ originalMaxAge: 60_000, httpOnly: false, sameSite: 'strict', path: '/shop' });
    const leftMs = new Date(String(cookie.expires)).getTime() - Date.now();
    expect(leftMs).toBeGreaterThan(30_000);
    expect(leftMs).toBeLessThanOrEqual(61_000);
    await set(store, 'open', dataOf({}));
    expect(((await get(store, 'open')) as SessionData).cookie).toMatchObject({ originalMaxAge: null, expires: null });
  });

  it('upserts: what is set of a session that was not loaded is all there is', async () => {
    const store = await open();
    await set(store, 'one', dataOf({ a: 1, b: 2 }));
    await set(store, 'one', dataOf({ b: 3 }, 60_000));
    const read = await get(store, 'one');
    expect(fieldsOf(read)).toEqual({ b: 3 });
    expect(read?.cookie.originalMaxAge).toBe(60_000);
  });

  it('leaves out what JSON has no text for', async () => {
    const store = await open();
    await set(store, 'one', dataOf({ gone: undefined, call: () => 1, at: new Date(0), kept: null }));
    expect(fieldsOf(await get(store, 'one'))).toEqual({ at: '1970-01-01T00:00:00.000Z', kept: null });
  });

  it('destroys, also what is not there', async () => {
    const store = await open();
    await set(store, 'one', dataOf({ a: 1 }));
    await destroy(store, 'one');
    await destroy(store, 'one');
    await destroy(store, 'never');
    expect((await get(store, 'one')) ?? null).toBeNull();
  });

  it('ends a session when its cookie does', async () => {
    const store = await open();
    await set(store, 'one', dataOf({ a: 1 }, 1_000));
    expect(await get(store, 'one')).toBeTruthy();
    await pollUntil(async () => !(await get(store, 'one')));
    await touch(store, 'one', dataOf({ a: 1 }, 60_000));
    expect((await get(store, 'one')) ?? null).toBeNull();
  });

  it('extends by touch, which writes no data and makes no session', async () => {
    const store = await open();
    await set(store, 'one', dataOf({ a: 1 }, 100_000));
    const endOf = async () => new Date(String((await get(store, 'one'))?.cookie.expires)).getTime();
    const before = await endOf();
    await pollUntil(async () => {
      const data = dataOf({ a: 'not to be stored' }, 100_000);
      await touch(store, 'one', data);
      return (await endOf()) > before;
    });
    expect(fieldsOf(await get(store, 'one'))).toEqual({ a: 1 });
    await touch(store, 'never', dataOf({ a: 1 }));
    expect((await get(store, 'never')) ?? null).toBeNull();
  });

  it('calls back once, later, and needs no callback for what gives nothing', async () => {
    const store = await open();
    let calls = 0;
    let sync = true;
    await new Promise<void>((resolve) => {
      store.set('one', dataOf({ a: 1 }), () => {
        calls++;
        expect(sync).toBe(false);
        resolve();
      });
      sync = false;
    });
    store.set('two', dataOf({ a: 2 }));
    store.touch?.('two', dataOf({ a: 2 }));
    await pollUntil(async () => Boolean(await get(store, 'two')));
    store.destroy('two');
    await pollUntil(async () => !(await get(store, 'two')));
    expect(calls).toBe(1);
  });

  it('loads a whole session, with its methods', async () => {
    const store = await open();
    await set(store, 'one', dataOf({ a: 1 }, 60_000));
    const loaded = await promised<session.Session>((done) => store.load('one', done as never));
    expect(loaded).toBeInstanceOf((session as unknown as { Session: new () => unknown }).Session);
    expect(loaded).toMatchObject({ id: 'one', a: 1 });
    expect(loaded.cookie.maxAge).toBeGreaterThan(30_000);
    expect(await promised((done) => store.load('never', done as never))).toBeUndefined();
  });

  it('keeps sids of any kind apart', async () => {
    const store = await open();
    const sids = [
      'a',
      'A',
      'a ',
      '',
      '"a"',
      'é',
      'e\u0301',
      '\ud800',
      '\ud801',
      '\0',
      'a\0b',
      '../a',
      'x'.repeat(5_000),
      '$$',
    ];
    for (const [i, sid] of sids.entries()) await set(store, sid, dataOf({ i }));
    for (const [i, sid] of sids.entries()) expect(fieldsOf(await get(store, sid))).toEqual({ i });
  });
});

describe.each(PORTS)('the store beyond the README: %s [S2 S3]', (name) => {
  it('offers no method that would have to list all sessions', async () => {
    const store = await openStore(name);
    expect([store.all, store.length, store.clear]).toEqual([undefined, undefined, undefined]);
  });

  it('does not give a sid that was destroyed to a session again', async () => {
    const store = await openStore(name);
    await set(store, 'one', dataOf({ a: 1 }));
    await destroy(store, 'one');
    await expect(set(store, 'one', dataOf({ a: 2 }))).rejects.toMatchObject({
      code: 'session_terminated',
      status: 500,
    });
    expect(await get(store, 'one')).toBeNull();
  });

  it('writes of a loaded session what changed', async () => {
    const store = await openStore(name);
    await set(store, 'one', dataOf({ a: 1, b: 1, c: 1 }));
    const first = (await get(store, 'one')) as SessionData & Record<string, unknown>;
    const second = (await get(store, 'one')) as SessionData & Record<string, unknown>;
    first.a = 2;
    delete first.b;
    second.c = 2;
    second.d = 2;
    await Promise.all([set(store, 'one', first), set(store, 'one', second)]);
    expect(fieldsOf(await get(store, 'one'))).toEqual({ a: 2, c: 2, d: 2 });
    // And then against what it stored, not against what it loaded.
    first.a = 1;
    await set(store, 'one', first);
    expect(fieldsOf(await get(store, 'one'))).toEqual({ a: 1, c: 2, d: 2 });
  });

  it('finds sessions again by the same secret only', async () => {
    const { port } = await openPort(name);
    const storeOf = (secret: string) => createExpressStore({ Store: session.Store, sessions: port, secret });
    await set(storeOf('one'), 'sid', dataOf({ a: 1 }));
    expect(fieldsOf(await get(storeOf('one'), 'sid'))).toEqual({ a: 1 });
    expect(await get(storeOf('two'), 'sid')).toBeNull();
    expect(() => storeOf('')).toThrow(TypeError);
  });

  it('tells what cannot be kept to the callback', async () => {
    const store = await openStore(name);
    const refused = set(store, 'one', dataOf({ big: 'x'.repeat(1_100_000) }));
    await expect(refused).rejects.toBeInstanceOf(SessionStoreError);
    await expect(refused).rejects.toMatchObject({ code: 'body_too_large', status: 500 });
    await expect(set(store, 'one', dataOf({ '': 1 }))).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(set(store, 'one', dataOf({ big: 1n }))).rejects.toMatchObject({ code: 'internal', status: 500 });
    expect(await get(store, 'one')).toBeNull();
  });

  it('does not tell the visitor that the key of the server was refused', async () => {
    const { port, app, caller } = await openPort(name);
    const store = createExpressStore({ Store: session.Store, sessions: port, secret: SECRET });
    await set(store, 'one', dataOf({ a: 1 }));
    await app.apiKeys.revoke(caller.tenantId, caller.keyId);
    for (const call of [() => get(store, 'one'), () => set(store, 'one', dataOf({})), () => destroy(store, 'one')])
      await expect(call()).rejects.toMatchObject({ code: 'key_revoked', status: 500 });
  });
});
