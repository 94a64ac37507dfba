import { describe, expect, it } from 'vitest';
import { newSessionId } from '../../lib/ids.ts';
import { checkCookie, readSessionId, writeSessionCookie } from '../../lib/sessions/adapters/session-cookie.ts';

const NAME = '__Host-session';
const id = newSessionId(Date.now());
const other = newSessionId(Date.now());
const cookie = { name: NAME, sameSite: 'Lax', maxAgeSeconds: null } as const;

describe('the id in a cookie [S1]', () => {
  it.each([
    ['as HTTP APIs give them', ['a=1', `${NAME}=${id}`]],
    ['in one header', [`a=1; ${NAME}=${id};b=2`]],
    ['with spaces', [` ${NAME} = ${id} `]],
    ['twice the same', [`${NAME}=${id}`, `${NAME}=${id}`]],
    ['beside what is no id', [`${NAME}=nonsense; ${NAME}=${id}; ${NAME}=`]],
    ['beside names that only look like it', [`x${NAME}=${other}; ${NAME}x=${other}; ${NAME}=${id}`]],
  ])('is found %s', (_how, cookies) => {
    expect(readSessionId(cookies, NAME)).toBe(id);
  });

  it.each([
    ['nothing', []],
    ['empty texts', ['', ';;', '=', `=${id}`, NAME]],
    ['no id', [`${NAME}=constructor`]],
    ['an id in quotes', [`${NAME}="${id}"`]],
    ['an id in capitals', [`${NAME}=${id.toUpperCase()}`]],
    ['the id and more', [`${NAME}=${id}x`, `${NAME}=${id}%00`]],
    ['another name in other case', [`${NAME.toLowerCase()}=${id}`]],
    ['two ids, of which one was planted', [`${NAME}=${id}; ${NAME}=${other}`]],
    ['a very long line', [`${'a'.repeat(1_000_000)}${NAME}=${id}`]],
  ])('is none in %s', (_what, cookies) => {
    expect(readSessionId(cookies, NAME)).toBeNull();
  });

  it('is told to the browser so that no script, no plain connection and no foreign form has it', () => {
    expect(writeSessionCookie(id, cookie)).toBe(`${NAME}=${id}; Path=/; HttpOnly; Secure; SameSite=Lax`);
    expect(writeSessionCookie(id, { ...cookie, maxAgeSeconds: 60 })).toContain('; Max-Age=60; ');
  });

  it('is forgotten, whatever was told before', () => {
    const gone = `${NAME}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax`;
    expect(writeSessionCookie(null, { ...cookie, maxAgeSeconds: 60 })).toBe(gone);
  });

  it.each(['', 'a b', 'a;b', 'a=b', 'é'])('cannot have the name %j', (name) => {
    expect(() => checkCookie({ ...cookie, name })).toThrow(TypeError);
  });

  it.each(['lax', '', 'None; Domain=example.com'])('cannot have the sameSite %j, as JavaScript may give it', (text) => {
    const sameSite = text as typeof cookie.sameSite;
    expect(() => checkCookie({ ...cookie, sameSite })).toThrow(TypeError);
  });

  it.each([0, -1, 1.5, Number.NaN])('cannot be kept for %d seconds', (maxAgeSeconds) => {
    expect(() => checkCookie({ ...cookie, maxAgeSeconds })).toThrow(TypeError);
  });
});
