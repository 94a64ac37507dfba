import { describe, expect, it } from 'vitest';
import { createLoadedSessions } from '../../lib/sessions/adapters/loaded-sessions.ts';
import type { SessionPort } from '../../lib/sessions/adapters/session-port.ts';

/** One session that is there, and a clock that is set by hand. */
function open(ttlMs: number, alive = true) {
  const calls: string[] = [];
  let nowMs = 0;
  const called = (call: string) => {
    calls.push(call);
    return Promise.resolve(alive);
  };
  const cookie = JSON.stringify({ originalMaxAge: ttlMs });
  const port: SessionPort = {
    get: async (id) => ({ id, ttlMs, expiresAtMs: ttlMs, data: new Map([['cookie', cookie]]) }),
    create: async ({ id = '' }) => id,
    update: () => called('update'),
    replace: () => called('replace'),
    touch: (_id, chosen) => called(`touch ${chosen ?? 'as before'}`),
    rotate: async () => null,
    terminate: async () => void (await called('terminate')),
  };
  const loaded = createLoadedSessions({
    sessions: port,
    secret: 'secret',
    maxTtlMs: 1e9,
    userIdOf: () => undefined,
    now: () => 0,
    elapsed: () => nowMs,
  });
  const load = async () => {
    const session = await loaded.load('sid');
    if (session === null) throw new Error('it is there');
    return session as typeof session & Record<string, unknown>;
  };
  return { ...loaded, load, calls, pass: (ms: number) => (nowMs += ms) };
}

describe('keeping a loaded session alive [S2]', () => {
  it.each([
    [60_000, 999, []],
    [60_000, 1_000, ['touch as before']],
    [1_000_000, 9_999, []],
    [1_000_000, 10_000, ['touch as before']],
  ])('of %d ms, %d ms after it was loaded, takes: %j', async (ttlMs, ms, expected) => {
    const { load, keepAlive, save, calls, pass } = open(ttlMs);
    const session = await load();
    pass(ms);
    await keepAlive('sid', session);
    expect(calls).toEqual(expected);
    // A save of what did not change is the same.
    const again = await load();
    pass(ms);
    await save('sid', again);
    expect(calls).toEqual([...expected, ...expected]);
  });

  it('counts from the last call there was', async () => {
    const { load, keepAlive, save, calls, pass } = open(60_000);
    const session = await load();
    pass(900);
    session.a = 1;
    await save('sid', session);
    pass(900);
    await keepAlive('sid', session);
    expect(calls).toEqual(['update']);
    pass(100);
    await keepAlive('sid', session);
    expect(calls).toEqual(['update', 'touch as before']);
  });

  it('takes a call at once when its cookie was given another lifetime', async () => {
    const { load, keepAlive, calls } = open(60_000);
    const session = await load();
    session.cookie.originalMaxAge = 90_000;
    await keepAlive('sid', session);
    expect(calls).toEqual(['update', 'touch 90000']);
  });

  it('asks no more of one that was ended meanwhile', async () => {
    const { load, save, calls } = open(60_000, false);
    const session = await load();
    session.a = 1;
    session.cookie.originalMaxAge = 90_000;
    await save('sid', session);
    expect(calls).toEqual(['update']);
  });
});
