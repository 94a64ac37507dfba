/** Sessions behind a cookie in real middy handlers, with events as API Gateway sends them. */
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { createLambdaContext } from '../../infra/local/host/lambda-context.ts';
import { newSessionId } from '../../lib/ids.ts';
import type { CookieSession } from '../../lib/sessions/adapters/cookie-session.ts';
import {
  type CookieEvent,
  type CookieSessionsOptions,
  cookieSessions,
  type SessionEvent,
} from '../../lib/sessions/adapters/cookie-sessions.ts';
import type { SessionPort } from '../../lib/sessions/adapters/session-port.ts';
import { counted, openPort, PORTS } from '../support/session-ports.ts';

const NAME = '__Host-session';

interface Reply {
  readonly statusCode: number;
  readonly body?: string;
  readonly cookies?: readonly string[];
  readonly multiValueHeaders?: Record<string, readonly string[]>;
}
type Work = (session: CookieSession) => unknown;

/** One request. @returns the reply, and the id the browser has then. */
async function ask(
  sessions: SessionPort,
  id: string | null,
  work: Work,
  { event = {}, ...options }: Partial<CookieSessionsOptions> & { readonly event?: CookieEvent } = {},
) {
  const handler = middy<SessionEvent, unknown>()
    .use(cookieSessions({ sessions, ...options }))
    .use({
      onError: (request) => {
        request.response = { statusCode: 500, body: request.error?.message };
      },
    })
    .handler(async ({ session }: SessionEvent) => ({ statusCode: 200, body: JSON.stringify(await work(session)) }));
  const cookies = id === null ? [] : ['theme=dark', `${NAME}=${id}`];
  const sent = { version: '2.0', cookies, ...event } as SessionEvent;
  const reply = (await handler(sent, lambdaContext())) as Reply;
  const [line] = reply.cookies ?? [];
  const [, told] = /^__Host-session=([^;]*)/.exec(line ?? '') ?? [];
  return { reply, cookies: reply.cookies ?? [], id: told === undefined ? id : told === '' ? null : told };
}

const lambdaContext = () =>
  createLambdaContext({ name: 'test', memoryMb: 128, timeoutMs: 10_000 }, 'request-1') as Context;

describe.each(PORTS)('sessions behind a cookie, over %s [S1 S2 S3 S4]', (name) => {
  it('begin with what is kept, and go on from there', async () => {
    const { port } = await openPort(name);
    const first = await ask(port, null, (session) => session.set('cart', [1, 'two']));
    expect(first.cookies).toEqual([`${NAME}=${first.id}; Path=/; HttpOnly; Secure; SameSite=Lax`]);
    const second = await ask(port, first.id, async (session) => {
      const cart = (await session.get('cart')) as unknown[];
      session.set('cart', [...cart, 3]);
      session.set('name', 'Ada');
      return cart;
    });
    expect(second.reply.body).toBe('[1,"two"]');
    expect(second.cookies).toEqual([]);
    const third = await ask(port, first.id, async (session) => {
      session.remove('name');
      return [await session.get('cart'), (await session.get('name')) ?? 'none', (await session.get('never')) ?? 'none'];
    });
    expect(third.reply.body).toBe('[[1,"two",3],"none","none"]');
    expect((await port.get(first.id as string, { touch: false }))?.data).toEqual(new Map([['cart', '[1,"two",3]']]));
  });

  it('get another id when somebody signs in, and keep their data', async () => {
    const { port, app, caller } = await openPort(name);
    const { id: before } = await ask(port, null, (session) => session.set('cart', 1));
    const { id } = await ask(port, before, async (session) => {
      session.set('signed_in', true);
      await session.rotate('ada');
    });
    expect(id).not.toBe(before);
    expect(await port.get(before as string, { touch: false })).toBeNull();
    const held = await app.sessions.get(caller, id as string);
    expect(held?.userId).toBe('ada');
    expect(Object.fromEntries(held?.data ?? [])).toEqual({ cart: '1', signed_in: 'true' });
  });

  it('end for good', async () => {
    const { port } = await openPort(name);
    const { id } = await ask(port, null, (session) => session.set('user', 'ada'));
    const ended = await ask(port, id, (session) => session.destroy());
    expect(ended.cookies).toEqual([`${NAME}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax`]);
    const after = await ask(port, id, (session) => session.get('user'));
    expect(after.reply.body).toBeUndefined();
  });
});

describe('what a session behind a cookie costs [S2]', () => {
  const steps: readonly [string, boolean, Work, readonly string[]][] = [
    ['nothing when nobody asks', true, () => 1, []],
    ['nothing of a visitor without one', false, (session) => session.get('a'), []],
    [
      'one read, however often it is asked',
      true,
      async (s) => [await s.get('a'), await s.get('b'), await s.get('a')],
      ['get'],
    ],
    ['one update of all that changed', true, (s) => [s.set('a', 2), s.set('b', 2), s.remove('c')].length, ['update']],
    ['one read and one update', true, async (s) => s.set('a', [await s.get('a')]), ['get', 'update']],
    ['one read when it is set to what it is', true, async (s) => s.set('a', await s.get('a')), ['get']],
    ['one read when what is not there is removed', true, async (s) => [await s.get('a'), s.remove('x')], ['get']],
    ['one call to make it', false, (s) => [s.set('a', 1), s.set('b', 1)].length, ['create']],
    ['nothing when a visitor without one removes', false, (s) => s.remove('a'), []],
    ['one call to give it a user', false, (s) => s.rotate('ada'), ['create']],
    [
      'two calls to change its id and its data',
      true,
      async (s) => [await s.rotate('ada'), s.set('x', 1)],
      ['rotate', 'update'],
    ],
    ['nothing when what does not exist is ended', false, (s) => s.destroy(), []],
  ];
  it.each(steps)('%s', async (_what, has, work, expected) => {
    const { port } = await openPort();
    const { port: watched, calls } = counted(port);
    const id = has
      ? await port.create({
          data: new Map([
            ['a', '1'],
            ['c', '1'],
          ]),
        })
      : null;
    const { cookies, reply } = await ask(watched, id, work);
    expect(reply.statusCode).toBe(200);
    expect(calls).toEqual(expected);
    const told = calls.includes('create') || calls.includes('rotate');
    expect(cookies).toHaveLength(told ? 1 : 0);
  });
});

describe('what comes from outside [S1 S3]', () => {
  it.each(['nonsense', 'session-1', `${newSessionId(0)}x`, '"><script>'])('%j is no session', async (text) => {
    const { port } = await openPort();
    const { port: watched, calls } = counted(port);
    const { cookies, reply } = await ask(watched, text, (session) => session.get('a'));
    expect([calls, cookies, reply.body]).toEqual([[], [], undefined]);
  });

  it('gets an id of ours when it comes with one that nobody has', async () => {
    const { port } = await openPort();
    const planted = newSessionId(Date.now());
    const read = await ask(port, planted, (session) => session.get('a'));
    // It may be the old id of a session that another request has just given a new one: that must not be forgotten.
    expect(read.cookies).toEqual([]);
    for (const work of [
      (session: CookieSession) => session.set('a', 1),
      async (session: CookieSession) => session.set('a', (await session.get('a')) ?? 1),
      (session: CookieSession) => session.rotate('ada'),
    ]) {
      const { id } = await ask(port, planted, work);
      expect(id).not.toBe(planted);
      expect(await port.get(id as string, { touch: false })).not.toBeNull();
    }
    expect(await port.get(planted, { touch: false })).toBeNull();
  });

  it('is read from the events of REST APIs too, and answered as they want it', async () => {
    const { port } = await openPort();
    const rest = (id: string | null): CookieEvent => {
      const lines = id === null ? ['theme=dark'] : ['theme=dark', `x=1; ${NAME}=${id}`];
      return { version: '1.0', cookies: null, headers: { Cookie: lines.at(-1) }, multiValueHeaders: { Cookie: lines } };
    };
    const first = await ask(port, null, (session) => session.set('a', 1), { event: rest(null) });
    const [line = ''] = first.reply.multiValueHeaders?.['Set-Cookie'] ?? [];
    const [, id = ''] = /^__Host-session=([^;]*)/.exec(line) ?? [];
    const read = await ask(port, null, (session) => session.get('a'), { event: rest(id) });
    expect(read.reply.body).toBe('1');
    const url = { version: '2.0', cookies: null, headers: { cookie: `${NAME}=${id}` } };
    expect((await ask(port, null, (session) => session.get('a'), { event: url })).reply.body).toBe('1');
  });
});

describe('requests at the same time [S2 S3]', () => {
  it('lose nothing of each other', async () => {
    const { port } = await openPort();
    const { id } = await ask(port, null, (session) => session.set('start', 1));
    let arrived = 0;
    const all = Promise.withResolvers<void>();
    const works = Array.from({ length: 8 }, (_, i) => async (session: CookieSession) => {
      await session.get('start');
      if (++arrived === 8) all.resolve();
      await all.promise;
      session.set(`key${i}`, i);
    });
    await Promise.all(works.map((work) => ask(port, id, work)));
    const held = await port.get(id as string, { touch: false });
    expect(held?.data.size).toBe(9);
  });

  it.each([
    ['ended', (session: CookieSession) => session.destroy()],
    ['given another id', (session: CookieSession) => session.rotate('ada')],
  ])('do not bring back what was %s meanwhile, nor tell the browser anything', async (_how, change) => {
    const { port } = await openPort();
    const { id } = await ask(port, null, (session) => session.set('user', 'ada'));
    const slow = await ask(port, id, async (session) => {
      await session.get('user');
      await ask(port, id, change);
      session.set('late', 1);
    });
    expect(slow.cookies).toEqual([]);
    expect(await port.get(id as string, { touch: false })).toBeNull();
  });
});

describe('what goes wrong in a handler [S2]', () => {
  const fail = async () => {
    throw new Error('broken');
  };

  it('keeps nothing of what it set', async () => {
    const { port } = await openPort();
    const { id } = await ask(port, null, (session) => session.set('a', 1));
    const { reply } = await ask(port, id, (session) => {
      session.set('a', 2);
      return fail();
    });
    expect(reply).toMatchObject({ statusCode: 500, body: 'broken' });
    expect((await port.get(id as string, { touch: false }))?.data.get('a')).toBe('1');
  });

  it.each([
    ['a new id', (session: CookieSession) => session.rotate('ada')],
    ['that there is none any more', (session: CookieSession) => session.destroy()],
  ])('does not keep the browser from learning %s', async (_what, change) => {
    const { port } = await openPort();
    const { id } = await ask(port, null, (session) => session.set('a', 1));
    const failed = await ask(port, id, async (session) => {
      await change(session);
      await fail();
    });
    expect(failed.reply.statusCode).toBe(500);
    expect(failed.id).not.toBe(id);
    if (failed.id !== null) expect((await port.get(failed.id, { touch: false }))?.data.get('a')).toBe('1');
  });

  it('is told when it sets what is no JSON, and when sessions fail', async () => {
    const { port } = await openPort();
    const wrong = await ask(port, null, (session) => session.set('a', undefined));
    expect(wrong.reply).toMatchObject({ statusCode: 500 });
    expect(wrong.cookies).toEqual([]);
    const large = await ask(port, null, (session) => session.set('a', 'x'.repeat(2_000_000)));
    expect(large.reply).toMatchObject({ statusCode: 500 });
    expect(large.cookies).toEqual([]);
  });

  it('has a second look when the first failed', async () => {
    const { port } = await openPort();
    let down = true;
    const failing: SessionPort = {
      ...port,
      get: (...args) => (down ? Promise.reject(new Error('down')) : port.get(...args)),
    };
    const id = await port.create({ data: new Map([['a', '1']]) });
    const { reply } = await ask(failing, id, async (session) => {
      await session.get('a').catch(() => {});
      down = false;
      return session.get('a');
    });
    expect(reply.body).toBe('1');
  });
});

describe('a session in one request [S2]', () => {
  it('goes on after it was ended: as another', async () => {
    const { port } = await openPort();
    const { id } = await ask(port, null, (session) => session.set('user', 'ada'));
    const next = await ask(port, id, async (session) => {
      session.set('dropped', 1);
      await session.destroy();
      const user = (await session.get('user')) ?? 'nobody';
      session.set('message', 'signed out');
      return user;
    });
    expect(next.reply.body).toBe('"nobody"');
    expect(next.id).not.toBe(id);
    const held = await port.get(next.id as string, { touch: false });
    expect(Object.fromEntries(held?.data ?? [])).toEqual({ message: '"signed out"' });
  });

  it('gives values of their own', async () => {
    const { port } = await openPort();
    const { id } = await ask(port, null, (session) => session.set('list', [1]));
    const { reply } = await ask(port, id, async (session) => {
      ((await session.get('list')) as number[]).push(2);
      return session.get('list');
    });
    expect(reply.body).toBe('[1]');
  });

  it('is told through a reply without a status, too', async () => {
    const { port } = await openPort();
    const handler = middy<SessionEvent, unknown>()
      .use(cookieSessions({ sessions: port, maxAgeSeconds: 3_600, sameSite: 'Strict', name: 'sid', ttlSeconds: 60 }))
      .handler(async ({ session }: SessionEvent) => {
        session.set('a', 1);
        return { hello: 'world' };
      });
    const reply = (await handler({ version: '2.0' } as SessionEvent, lambdaContext())) as Reply;
    expect(reply).toMatchObject({ statusCode: 200, body: '{"hello":"world"}' });
    const [, id = ''] =
      /^sid=(\S+); Path=\/; Max-Age=3600; HttpOnly; Secure; SameSite=Strict$/.exec(reply.cookies?.[0] ?? '') ?? [];
    expect((await port.get(id, { touch: false }))?.ttlMs).toBe(60_000);
  });

  it.each([0, -1, 1.5, Number.NaN])('is not begun with a lifetime of %d seconds', async (ttlSeconds) => {
    const { port } = await openPort();
    expect(() => cookieSessions({ sessions: port, ttlSeconds })).toThrow(TypeError);
  });
});
