/** The store in a real express app with express-session, over HTTP: what visitors see. */
import session, { type SessionOptions } from 'express-session';
import { describe, expect, it } from 'vitest';
import { createExpressStore } from '../../lib/sessions/adapters/express-store.ts';
import type { SessionPort } from '../../lib/sessions/adapters/session-port.ts';
import { startSite } from '../support/express-app.ts';
import { pollUntil } from '../support/poll-until.ts';
import { counted, openPort, PORTS } from '../support/session-ports.ts';
import { newVisitor, type Visitor } from '../support/visitor.ts';

const storeOf = (sessions: SessionPort) =>
  createExpressStore({
    Store: session.Store,
    sessions,
    secret: 'a secret of the tests',
    userIdOf: (data) => (data as { user?: string }).user,
  });

const see = async (visitor: Visitor): Promise<Record<string, unknown>> => JSON.parse((await visitor.get('/see')).text);
const twin = (url: string, visitor: Visitor) => newVisitor(url, visitor.cookies);

async function openSite(options: Partial<SessionOptions> = {}) {
  const opened = await openPort();
  const { port, calls } = counted(opened.port);
  const site = await startSite({ store: storeOf(port), ...options });
  return { ...opened, ...site, port, calls, visitor: newVisitor(site.url) };
}

/** Requests that have loaded their session, all of the same visitor; then all go on at once. */
async function atOnce(
  site: Pick<Awaited<ReturnType<typeof startSite>>, 'url' | 'waiting' | 'release'>,
  visitor: Visitor,
  paths: readonly string[],
) {
  const answers = paths.map((path) => twin(site.url, visitor).get(path));
  await pollUntil(async () => site.waiting() === paths.length);
  const finish = () => {
    site.release();
    return Promise.all(answers);
  };
  return { finish };
}

const KEYS = Array.from({ length: 8 }, (_, i) => `key${i}`);
const HELD = KEYS.map((key) => `/held/${key}/kept`);
const ALL_KEPT = Object.fromEntries(KEYS.map((key) => [key, 'kept']));

describe.each(PORTS)('a site over %s [S2 S3]', (name) => {
  const open = async () => {
    const { port } = await openPort(name);
    const site = await startSite({ store: storeOf(port) });
    return { ...site, visitor: newVisitor(site.url) };
  };

  it('signs in and out, each time with another id', async () => {
    const { url, visitor } = await open();
    await visitor.get('/set/cart/full');
    const anonymous = twin(url, visitor);
    await visitor.get('/login/ada');
    expect(visitor.cookies.get('connect.sid')).not.toBe(anonymous.cookies.get('connect.sid'));
    expect(await see(visitor)).toMatchObject({ user: 'ada' });
    expect(await see(anonymous)).not.toHaveProperty('cart');
    const signedIn = twin(url, visitor);
    expect((await visitor.get('/logout')).status).toBe(200);
    expect(await see(signedIn)).not.toHaveProperty('user');
  });

  it('loses nothing of requests at the same time that change different keys', async () => {
    const { visitor, ...site } = await open();
    await visitor.get('/set/before/there');
    const { finish } = await atOnce(site, visitor, [...HELD, '/held-remove/before']);
    await finish();
    const { before, ...rest } = await see(visitor);
    expect(rest).toMatchObject(ALL_KEPT);
    expect(before).toBeUndefined();
  });

  it('does not bring back a session that was ended while a slow request had it', async () => {
    const { visitor, ...site } = await open();
    await visitor.get('/login/ada');
    const old = twin(site.url, visitor);
    const { finish } = await atOnce(site, visitor, ['/held/late/write', '/held-read']);
    await visitor.get('/logout');
    expect((await finish()).map(({ status }) => status)).toEqual([200, 200]);
    const seen = await see(old);
    expect(seen).not.toHaveProperty('user');
    expect(seen).not.toHaveProperty('late');
  });
});

describe('what a store that saves whole sessions does there: the one of express-session [S2 S3]', () => {
  it('loses all keys but one', async () => {
    const site = await startSite({});
    const visitor = newVisitor(site.url);
    await visitor.get('/set/before/there');
    const { finish } = await atOnce(site, visitor, HELD);
    await finish();
    const seen = await see(visitor);
    expect(KEYS.filter((key) => key in seen)).toHaveLength(1);
  });

  it('brings back the session, with its user', async () => {
    const site = await startSite({});
    const visitor = newVisitor(site.url);
    await visitor.get('/login/ada');
    const { finish } = await atOnce(site, visitor, ['/held/late/write']);
    const old = twin(site.url, visitor);
    await visitor.get('/logout');
    await finish();
    expect(await see(old)).toMatchObject({ user: 'ada', late: 'write' });
  });
});

describe('a session in its course [S1 S2 S3]', () => {
  it('costs nothing before there is one, a read when it is only read, a read and an update when it is changed', async () => {
    const { visitor, calls } = await openSite();
    const callsOf = async (path: string) => {
      calls.length = 0;
      await visitor.get(path);
      return [...calls];
    };
    expect((await visitor.get('/see')).set).toEqual([]);
    expect(calls).toEqual([]);
    expect(await callsOf('/set/a/1')).toEqual(['create']);
    expect(await callsOf('/see')).toEqual(['get']);
    expect(await callsOf('/set/a/2')).toEqual(['get', 'update']);
    expect(await callsOf('/remove/a')).toEqual(['get', 'update']);
    expect(await callsOf('/logout')).toEqual(['get', 'terminate']);
  });

  it('keeps what was read when everything is saved again (resave)', async () => {
    const { visitor, calls, ...site } = await openSite({ resave: true });
    await visitor.get('/set/a/1');
    const { finish } = await atOnce(site, visitor, ['/held-read']);
    await twin(site.url, visitor).get('/set/a/2');
    await finish();
    expect(await see(visitor)).toMatchObject({ a: '2' });
    calls.length = 0;
    await see(visitor);
    expect(calls).toEqual(['get']);
  });

  it('makes sessions of visitors who did nothing only when told to (saveUninitialized)', async () => {
    const { visitor, calls } = await openSite({ saveUninitialized: true });
    expect((await visitor.get('/see')).set).toHaveLength(1);
    expect(calls).toEqual(['create']);
    const { sid } = await see(visitor);
    expect((await see(visitor)).sid).toBe(sid);
  });

  it.each([true, false])('sends its cookie with each answer when it is to roll: %s', async (rolling) => {
    const { visitor } = await openSite({ rolling, cookie: { maxAge: 60_000 } });
    expect((await visitor.get('/set/a/1')).set).toHaveLength(1);
    expect((await visitor.get('/see')).set).toHaveLength(rolling ? 1 : 0);
  });

  it('lives as long as its cookie', async () => {
    const { app, caller, visitor } = await openSite({ cookie: { maxAge: 90_000 } });
    await visitor.get('/login/ada');
    const { items } = await app.sessions.list(caller, 'ada', { limit: 10 });
    expect(items.map(({ ttlMs }) => ttlMs)).toEqual([90_000]);
    expect(await see(visitor)).toMatchObject({ originalMaxAge: 90_000 });
  });

  it('is gone when its time is over', async () => {
    const { port, visitor } = await openSite({ cookie: { maxAge: 1_000 } });
    await visitor.get('/set/a/1');
    const { sid, a } = await see(visitor);
    expect(a).toBe('1');
    // Not by asking the site, which would have it live on.
    const store = storeOf(port);
    await pollUntil(
      () =>
        new Promise((resolve, reject) =>
          store.get(String(sid), (error, data) => (error ? reject(error) : resolve(!data))),
        ),
    );
    expect(await see(visitor)).not.toHaveProperty('a');
  });

  it('keeps another lifetime, chosen by one request, whatever others save beside it', async () => {
    const { app, caller, visitor, ...site } = await openSite({ cookie: { maxAge: 90_000 } });
    await visitor.get('/login/ada');
    const { finish } = await atOnce(site, visitor, ['/held-read', '/held/b/2']);
    await twin(site.url, visitor).get('/max-age/600000');
    await finish();
    const { items } = await app.sessions.list(caller, 'ada', { limit: 10 });
    expect(items.map(({ ttlMs }) => ttlMs)).toEqual([600_000]);
    expect(await see(visitor)).toMatchObject({ originalMaxAge: 600_000, b: '2' });
  });

  it('ends when its cookie is made to end', async () => {
    const { url, visitor } = await openSite();
    await visitor.get('/login/ada');
    const old = twin(url, visitor);
    await visitor.get('/max-age/-1');
    expect(await see(old)).not.toHaveProperty('user');
  });

  it('ends when it is taken from the request (unset)', async () => {
    const { url, visitor } = await openSite({ unset: 'destroy' });
    await visitor.get('/login/ada');
    const old = twin(url, visitor);
    await visitor.get('/unset');
    expect(await see(old)).not.toHaveProperty('user');
  });

  it('is saved in order, also by who does not wait', async () => {
    const { visitor, calls } = await openSite();
    await visitor.get('/save-twice');
    expect(calls).toEqual(['create', 'update']);
    expect(await see(visitor)).toMatchObject({ first: 1, second: 2 });
    await visitor.get('/save-twice');
    expect(await see(visitor)).toMatchObject({ first: 1, second: 2 });
  });

  it('is read anew when asked', async () => {
    const { visitor } = await openSite();
    await visitor.get('/set/a/1');
    await visitor.get('/reload');
    const seen = await see(visitor);
    expect(seen).toMatchObject({ a: '1', reloaded: true });
    expect(seen).not.toHaveProperty('dropped');
  });

  it('can be ended by many at once', async () => {
    const { url, visitor } = await openSite();
    await visitor.get('/login/ada');
    const answers = await Promise.all(Array.from({ length: 6 }, () => twin(url, visitor).get('/logout')));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(await see(visitor)).not.toHaveProperty('user');
  });

  it('stays dead when its id was made new by a sign-in beside it', async () => {
    const { visitor, ...site } = await openSite();
    await visitor.get('/set/cart/full');
    const old = twin(site.url, visitor);
    const { finish } = await atOnce(site, visitor, ['/held/late/write']);
    await visitor.get('/login/ada');
    await finish();
    expect(await see(old)).not.toHaveProperty('late');
    expect(await see(visitor)).toMatchObject({ user: 'ada' });
  });

  it('leaves alone what other clients of the service keep in it', async () => {
    const { app, caller, visitor } = await openSite();
    await visitor.get('/login/ada');
    const { items } = await app.sessions.list(caller, 'ada', { limit: 1 });
    const id = items[0]?.id as string;
    // A number JavaScript cannot hold, spaces, and a key that is the name of a method of sessions.
    const set = new Map([
      ['big', '12345678901234567890'],
      ['spaced', '{ "a" : 1 }'],
      ['touch', '"mine"'],
    ]);
    await app.sessions.update(caller, id, { set });
    await visitor.get('/set/own/1');
    const { data } = (await app.sessions.get(caller, id)) ?? {};
    expect(Object.fromEntries(data ?? [])).toMatchObject({ ...Object.fromEntries(set), own: '"1"', user: '"ada"' });
  });

  it('can be listed and ended by its user', async () => {
    const { app, caller, url } = await openSite();
    const visitors = [newVisitor(url), newVisitor(url), newVisitor(url)];
    for (const [i, visitor] of visitors.entries()) await visitor.get(`/login/${i === 2 ? 'bob' : 'ada'}`);
    expect(await app.sessions.terminateUser(caller, 'ada')).toEqual({ terminated: 2, more: false });
    expect((await Promise.all(visitors.map(see))).map(({ user }) => user)).toEqual([undefined, undefined, 'bob']);
  });
});

describe('a site whose sessions fail [S2]', () => {
  it('answers with an error, not with another session', async () => {
    const { port } = await openPort();
    let down = false;
    const failing: SessionPort = {
      ...port,
      get: async (...args) => {
        if (down) throw Object.assign(new Error('Redis does not answer'), { code: 'store_unavailable', status: 503 });
        return port.get(...args);
      },
    };
    const site = await startSite({ store: storeOf(failing) });
    const visitor = newVisitor(site.url);
    await visitor.get('/login/ada');
    down = true;
    expect(await visitor.get('/see')).toMatchObject({ status: 503, text: 'store_unavailable', set: [] });
    down = false;
    expect(await see(visitor)).toMatchObject({ user: 'ada' });
  });

  it('is told that a session is too large, when it asks', async () => {
    const { visitor } = await openSite();
    expect(await visitor.get('/big')).toMatchObject({ status: 500, text: 'body_too_large' });
  });
});
