/** What every answer carries besides its body, and what some answers must leave out. */
import { beforeAll, describe, expect, it } from 'vitest';
import { newTenant, type TestTenant } from '../support/app.ts';
import { type Door, openDoor } from '../support/door.ts';
import { expectCommonHeaders, expectProblem } from '../support/problem.ts';

const ENTRY = '/cache/answers/one';
const ORIGIN = 'https://app.example.com';
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

let door: Door;
let owner: TestTenant;
let etag: string;
beforeAll(async () => {
  door = await openDoor();
  owner = await newTenant(door.app);
  const headers = { 'content-type': 'text/plain' };
  const put = await door.call({ method: 'PUT', target: ENTRY, key: owner.key, headers, body: 'žluť' });
  etag = put.headers.etag ?? '';
});

describe('an answer [A14]', () => {
  it('to HEAD has the headers of GET and the length of its body, and no body', async () => {
    const [get, head] = await Promise.all(
      ['GET', 'HEAD'].map((method) => door.call({ method, target: ENTRY, key: owner.key })),
    );
    expect(head?.body).toHaveLength(0);
    expect(get?.body.toString()).toBe('žluť');
    expect(head?.headers['content-length']).toBe(String(get?.body.length));
    for (const name of ['content-type', 'etag', 'riptide-expires-at', 'cache-control'])
      expect(head?.headers[name]).toBe(get?.headers[name]);
  });

  it('to who has the value is 304, with its ETag and without a body', async () => {
    for (const ifNoneMatch of [etag, `W/${etag}`, '*', `"x", ${etag}`]) {
      const reply = await door.call({ target: ENTRY, key: owner.key, headers: { 'if-none-match': ifNoneMatch } });
      expect([reply.status, reply.body.length, reply.headers.etag]).toEqual([304, 0, etag]);
      expectCommonHeaders(reply.headers);
    }
  });

  it('to a removal that is tried dry is what it would remove, by the rules of a removal', async () => {
    const dry = (query: string, more = {}) =>
      door.call({ method: 'DELETE', target: `${ENTRY}?dry_run=${query}`, key: owner.key, ...more });
    const reply = await dry('true');
    expect(reply.status).toBe(200);
    const { memory_bytes } = (await door.app.account.identify(owner.caller)).used;
    expect(JSON.parse(reply.body.toString())).toEqual({ would_remove: 1, bytes: memory_bytes });
    expectProblem(await dry('true', { headers: { 'if-match': '"other"' } }), '412 precondition_failed');
    expectProblem(await dry('1'), '400 invalid_request');
    expect((await door.call({ target: ENTRY, key: owner.key })).status).toBe(200);
  });

  it('passes a trace on with successes and problems, and ignores a malformed one', async () => {
    for (const target of [ENTRY, '/nowhere', '/cache/answers/none']) {
      const traced = await door.call({ target, key: owner.key, headers: { traceparent: TRACE, tracestate: 'a=1' } });
      expect(traced.headers).toMatchObject({ traceparent: TRACE, tracestate: 'a=1' });
      const malformed = { traceparent: `${TRACE}x`, tracestate: 'a=1' };
      const untraced = await door.call({ target, key: owner.key, headers: malformed });
      expect(untraced.headers.traceparent ?? untraced.headers.tracestate).toBeUndefined();
    }
  });

  it('tells of the limits, also when it is a problem', async () => {
    for (const target of [ENTRY, '/cache/answers/none', '/whoami']) {
      const { headers } = await door.call({ target, key: owner.key });
      expect(headers['ratelimit-policy']).toMatch(/^"burst";q=\d+;w=\d+, "minute";q=\d+;w=60$/);
      expect(headers.ratelimit).toMatch(/^"burst";r=\d+;t=\d+, "minute";r=\d+;t=\d+$/);
    }
  });

  it('gives each request an id of its own, whatever the caller calls it', async () => {
    const headers = { 'x-request-id': 'mine' };
    const ids = await Promise.all(
      [1, 2].map(async () => (await door.call({ target: '/health/live', headers })).headers['x-request-id']),
    );
    expect(new Set([...ids, 'mine']).size).toBe(3);
  });

  it('lets no browser in where no origin is configured', async () => {
    const headers = { origin: ORIGIN, 'access-control-request-method': 'PUT' };
    for (const request of [
      { method: 'OPTIONS', target: ENTRY, headers },
      { target: ENTRY, key: owner.key, headers },
    ]) {
      expect((await door.call(request)).headers['access-control-allow-origin']).toBeUndefined();
    }
  });
});

describe('a tenant over its limit [T4 T5]', () => {
  it('gets 429 with the wait in Retry-After, and is not charged for it', async () => {
    const slow = await newTenant(door.app, { quotas: { operations_per_minute: 10 } });
    expect((await door.call({ target: '/whoami', key: slow.key })).status).toBe(200);
    const before = await door.app.account.identify(slow.caller).catch((error) => error.code);
    expect(before).toBe('rate_limited');
    const reply = await door.call({ method: 'PUT', target: ENTRY, key: slow.key, body: 'x' });
    const problem = expectProblem(reply, '429 rate_limited');
    const waitMs = Number(problem.details?.resets_in_ms);
    expect(reply.headers['retry-after']).toBe(String(Math.ceil(waitMs / 1000)));
    expect(waitMs).toBeLessThanOrEqual(6_000);
    expect(reply.headers.ratelimit).toContain('"burst";r=0');
  });

  it('that may do nothing is told so, and until when', async () => {
    const none = await newTenant(door.app, { quotas: { operations_per_minute: 0 } });
    const reply = await door.call({ target: '/whoami', key: none.key });
    expectProblem(reply, '429 quota_exceeded');
    expect(Number(reply.headers['retry-after'])).toBeLessThanOrEqual(60);
  });
});
