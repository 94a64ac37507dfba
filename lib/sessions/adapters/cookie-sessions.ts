/**
 * Sessions behind a cookie, for Lambda functions on middy. The cookie holds the session's id as it is: 130 of its bits are random, so
 * a signature would add nothing. No JavaScript reads it, it goes over TLS only, and not with other sites' forms.
 */
import type { MiddlewareObj } from '@middy/core';
import { type CookieSession, createRequestSession, type RequestSession } from './cookie-session.ts';
import { checkCookie, readSessionId, type SessionCookie, writeSessionCookie } from './session-cookie.ts';
import type { SessionPort } from './session-port.ts';

export interface CookieSessionsOptions extends Partial<SessionCookie> {
  readonly sessions: SessionPort;
  /** How long a new session lives unused; absent: as the tenant is set. */
  readonly ttlSeconds?: number;
}

/** What is used of an event of API Gateway: an HTTP API's (or function URL's), or a REST API's. */
export interface CookieEvent {
  readonly version?: string;
  readonly cookies?: readonly string[] | null;
  readonly headers?: Readonly<Record<string, string | undefined>> | null;
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[] | undefined>> | null;
}

export interface SessionEvent extends CookieEvent {
  /** Of the visitor. */
  session: CookieSession;
}

interface Reply {
  readonly statusCode?: number;
  readonly cookies?: readonly string[];
  readonly multiValueHeaders?: Readonly<Record<string, readonly unknown[]>>;
}

interface SessionRequest {
  readonly event: SessionEvent;
  response: unknown;
}

/**
 * Gives the handler `event.session`. A visitor who has none gets no cookie until something is kept for him. What is set and removed is
 * written in one update after the handler; of a handler that throws nothing is, but a new id is told all the same where there
 * is a reply: use it before (outside of) the middleware that makes one of errors.
 *
 * @example middy(handler).use(cookieSessions({ sessions }))
 * @throws {TypeError} no cookie, or no lifetime, can be so.
 */
export function cookieSessions(options: CookieSessionsOptions): MiddlewareObj<SessionEvent, unknown> {
  const { sessions, ttlSeconds, name = '__Host-session', sameSite = 'Lax', maxAgeSeconds = null } = options;
  const cookie: SessionCookie = { name, sameSite, maxAgeSeconds };
  checkCookie(cookie);
  if (ttlSeconds !== undefined && !(Number.isInteger(ttlSeconds) && ttlSeconds > 0))
    throw new TypeError('ttlSeconds is a whole number of seconds');
  const ttlMs = ttlSeconds === undefined ? undefined : ttlSeconds * 1_000;
  const open = new WeakMap<object, RequestSession>();

  const tell = (request: SessionRequest) => {
    const news = open.get(request)?.news();
    // Nothing for an id that is not known any more: it may have been changed beside this request, and the browser have the new one.
    if (news === undefined) return;
    request.response = withCookie(request.event, request.response, writeSessionCookie(news, cookie));
  };

  return {
    before(request) {
      const session = createRequestSession(sessions, readSessionId(cookiesOf(request.event), name), ttlMs);
      open.set(request, session);
      request.event.session = session.session;
    },
    async after(request) {
      await open.get(request)?.finish();
      tell(request);
    },
    onError(request) {
      if (request.response) tell(request);
    },
  };
}

const isRest = ({ version, multiValueHeaders }: CookieEvent) => version === '1.0' || Boolean(multiValueHeaders);

function cookiesOf({ cookies, headers, multiValueHeaders }: CookieEvent): readonly string[] {
  if (cookies) return cookies;
  const named = (all: object | null | undefined) =>
    Object.entries(all ?? {}).flatMap(([name, value]) => (name.toLowerCase() === 'cookie' ? [value ?? []] : []));
  return named(multiValueHeaders ?? headers).flat();
}

function withCookie(event: CookieEvent, response: unknown, cookie: string): Reply {
  const reply = asReply(response);
  if (!isRest(event)) return { ...reply, cookies: [...(reply.cookies ?? []), cookie] };
  const { multiValueHeaders = {} } = reply;
  const name = Object.keys(multiValueHeaders).find((key) => key.toLowerCase() === 'set-cookie') ?? 'Set-Cookie';
  return {
    ...reply,
    multiValueHeaders: { ...multiValueHeaders, [name]: [...(multiValueHeaders[name] ?? []), cookie] },
  };
}

/** An HTTP API takes anything without a status for the body of a 200: so it is made one here. */
function asReply(response: unknown): Reply {
  if (typeof response === 'object' && response !== null && 'statusCode' in response) return response as Reply;
  const body = typeof response === 'string' ? response : JSON.stringify(response);
  const headers = { 'content-type': 'application/json' };
  return { statusCode: 200, ...{ headers, body } };
}
