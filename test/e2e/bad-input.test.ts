/** Bad input as bytes on a socket, against `npm start`: what an HTTP client would tidy up or refuse to send. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rawRequest } from '../support/raw-request.ts';
import { type ServiceTenant, serviceTenant } from '../support/service-tenant.ts';
import { type RunningService, startService } from '../support/start-service.ts';

const ORIGIN = 'https://app.example.com';
const MIB = 1024 * 1024;

let service: RunningService;
let tenant: ServiceTenant;
beforeAll(async () => {
  service = await startService({ env: { PERSISTENCE_HTTP_CORS_ORIGINS: ORIGIN } });
  tenant = await serviceTenant(service);
});
afterAll(async () => {
  const output = service.output();
  await service.stop();
  expect(output).not.toMatch(/Unhandled rejection|Function \w+ failed|"code":"internal"/);
});

interface RawAnswer {
  readonly status: number;
  /** Status line and headers, as sent. */
  readonly head: string;
  readonly body: string;
}

/** Sends the lines as they are, CRLF between them. */
async function raw(lines: readonly string[], body = ''): Promise<RawAnswer> {
  const text = await rawRequest(Number(new URL(service.url).port), `${lines.join('\r\n')}\r\n\r\n${body}`);
  const end = text.indexOf('\r\n\r\n');
  return { status: Number(text.slice(9, 12)), head: text.slice(0, end), body: text.slice(end + 4) };
}

/** A request line and headers, with the tenant's key. */
const keyed = (line: string, ...more: readonly string[]) =>
  raw([line, 'Host: x', 'Connection: close', `Authorization: Bearer ${tenant.key}`, ...more]);

function expectCode({ status, head, body }: RawAnswer, expected: string): void {
  expect(head).toMatch(/^content-type: application\/problem\+json$/im);
  const problem = JSON.parse(body);
  expect(`${status} ${problem.code}`).toBe(expected);
  expect(problem).toMatchObject({ status, request_id: expect.any(String), detail: expect.any(String) });
}

const call = (path: string, init: RequestInit & { headers?: Record<string, string> } = {}) =>
  fetch(service.url + path, { ...init, headers: { authorization: `Bearer ${tenant.key}`, ...init.headers } });

const usedOf = async () => ((await (await call('/whoami')).json()) as { used: Record<string, number> }).used;

describe('a path as bytes [A14 C1]', () => {
  it.each([
    ['/cache/ns/%ed%a0%80', '400 invalid_request'],
    ['/cache/ns/%ff', '400 invalid_request'],
    ['/cache/ns/%00', '400 invalid_request'],
    ['/cache/ns/%0d%0aX-Evil:%201', '400 invalid_request'],
    ['/cache/ns/\u00e9', '400 invalid_request'],
    ['/cache/../ns', '400 invalid_request'],
    ['/cache/ns/../../whoami', '404 entry_not_found'],
    ['/cache/ns/..', '404 entry_not_found'],
    ['//whoami', '404 route_not_found'],
    ['/./whoami', '404 route_not_found'],
    ['/whoami/', '404 route_not_found'],
    ['/whoami/../whoami', '404 route_not_found'],
    ['/admin/../whoami', '403 wrong_key_kind'],
    ['/admin%2f..', '403 wrong_key_kind'],
    ['http://evil.test/whoami', '400 invalid_request'],
    ['whoami', '400 invalid_request'],
    ['*', '400 invalid_request'],
  ])('%s: %s', async (path, expected) => {
    const answer = await keyed(`GET ${path} HTTP/1.1`);
    expectCode(answer, expected);
    expect(answer.head).not.toMatch(/x-evil/i);
  });

  it('below /admin asks for a key first', async () => {
    for (const path of ['/admin', '/admin/', '/admin/../whoami', '/admin%2fnothing'])
      expectCode(await raw([`GET ${path} HTTP/1.1`, 'Host: x', 'Connection: close']), '401 key_missing');
  });

  it('of 64 KB, or a header of that length, is refused', async () => {
    for (const length of [11_000, 64 * 1024]) {
      expectCode(await keyed(`GET /cache/ns/${'x'.repeat(length)} HTTP/1.1`), '431 headers_too_large');
      expectCode(await keyed('GET /whoami HTTP/1.1', `X-Long: ${'x'.repeat(length)}`), '431 headers_too_large');
    }
  });

  it('is the same to the service with dots as without, and stores what was meant', async () => {
    const put = await keyed('PUT /cache/dots/../x HTTP/1.1', 'Content-Length: 0');
    expect(put.status).toBe(201);
    expect((await keyed('GET /cache/dots/../x HTTP/1.1')).status).toBe(200);
    expect((await keyed('GET /cache/dots/x HTTP/1.1')).status).toBe(404);
  });
});

describe('a request that is hardly one [A14]', () => {
  it.each([
    ['no method of HTTP', ['BREW / HTTP/1.1', 'Host: x']],
    ['a version nobody knows', ['GET / HTTP/9.9', 'Host: x']],
    ['a header without a name', ['GET / HTTP/1.1', 'Host: x', ': y']],
    ['a header with a space before the colon', ['GET / HTTP/1.1', 'Host: x', 'A : y']],
    ['a NUL in a header', ['GET / HTTP/1.1', 'Host: x', 'A: a\u0000b']],
    ['two lengths', ['PUT /cache/ns/k HTTP/1.1', 'Host: x', 'Content-Length: 1', 'Content-Length: 2']],
    ['a negative length', ['PUT /cache/ns/k HTTP/1.1', 'Host: x', 'Content-Length: -1']],
    ['a length and chunks', ['PUT /cache/ns/k HTTP/1.1', 'Host: x', 'Content-Length: 4', 'Transfer-Encoding: chunked']],
    ['TLS', ['\u0016\u0003\u0001\u0002\u0000\u0001']],
  ])('is a 400 problem: %s', async (_what, lines) => {
    expectCode(await raw([...lines, 'Connection: close']), '400 invalid_request');
  });

  it.each(['TRACE', 'PATCH', 'PROPFIND', 'OPTIONS'])(
    'of the method %s is answered, and reaches no endpoint',
    async (method) => {
      const answer = await keyed(`${method} /whoami HTTP/1.1`);
      if (method === 'OPTIONS') expect(answer.status).toBe(204);
      else expectCode(answer, '404 route_not_found');
    },
  );

  it('gets no body with HEAD, whatever the answer', async () => {
    for (const path of ['/whoami/nowhere', '/cache/ns/none', '/cache/-/none']) {
      const answer = await keyed(`HEAD ${path} HTTP/1.1`);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect([answer.head.includes('application/problem+json'), answer.body]).toEqual([true, '']);
    }
  });

  it('cannot bring headers into the answer', async () => {
    const evil = encodeURIComponent('{"a":"x\\r\\nSet-Cookie: y"}');
    const put = await keyed('PUT /cache/ns/headers HTTP/1.1', `Riptide-Attributes: ${evil}`, 'Content-Length: 0');
    expect(put.status).toBe(201);
    expect((await keyed('GET /cache/ns/headers HTTP/1.1')).head).not.toMatch(/^set-cookie/im);
  });
});

describe('a large value [C1 C6]', () => {
  const octets = { 'content-type': 'application/octet-stream' };
  const prose = 'He said "no"\\\n\t';
  const values: readonly [what: string, value: Buffer<ArrayBuffer>, type: string][] = [
    ['random bytes', Buffer.from(randomBytes(4 * MIB)), 'application/octet-stream'],
    ['quotes and newlines', Buffer.alloc(4 * MIB, prose), 'application/octet-stream'],
    ['quotes and newlines', Buffer.alloc(4 * MIB, prose), 'application/x-any'],
    ['plain text', Buffer.alloc(4 * MIB, 'plain text. '), 'text/plain'],
    ['NUL', Buffer.alloc(4 * MIB), 'image/png'],
  ];
  it.each(values)('of 4 MiB comes back byte for byte: %s', async (_what, value, type) => {
    const put = await call('/cache/large/one', { method: 'PUT', headers: { 'content-type': type }, body: value });
    expect(put.status).toBeLessThan(300);
    const get = await call('/cache/large/one');
    expect([get.status, get.headers.get('content-type')]).toEqual([200, type]);
    expect(Buffer.from(await get.arrayBuffer()).equals(value)).toBe(true);
    const head = await call('/cache/large/one', { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String(4 * MIB));
  });

  it('above 4 MiB, or above the event, is refused with 413 and changes nothing', async () => {
    const before = await usedOf();
    const tooLarge: readonly [Record<string, string>, Buffer<ArrayBuffer>][] = [
      [octets, Buffer.alloc(4 * MIB + 1)],
      [octets, Buffer.alloc(6 * MIB)],
      [{ 'content-type': 'text/plain' }, Buffer.alloc(4 * MIB, '"')],
      [octets, Buffer.alloc(11 * MIB)],
    ];
    for (const [headers, body] of tooLarge) {
      const reply = await call('/cache/large/two', { method: 'PUT', headers, body });
      expect(await reply.json()).toMatchObject({ status: 413, code: 'body_too_large' });
    }
    const { operations, ...after } = await usedOf();
    expect({ ...after, operations: before.operations }).toEqual({ ...before });
    expect(operations).toBe(Number(before.operations) + 1);
  });
});

describe('a browser of another origin [A14]', () => {
  const ask = { 'access-control-request-method': 'PUT', 'access-control-request-headers': 'authorization, if-match' };

  it('is let in from the configured origin, also below /admin, where only a key helps', async () => {
    for (const path of ['/cache/ns/k', '/admin/tenants']) {
      const reply = await fetch(service.url + path, { method: 'OPTIONS', headers: { origin: ORIGIN, ...ask } });
      expect([reply.status, reply.headers.get('access-control-allow-origin')]).toEqual([204, ORIGIN]);
      expect(reply.headers.get('access-control-allow-methods')).toContain('PUT');
      expect(reply.headers.get('access-control-allow-headers')).toContain('if-match');
    }
    const problem = await fetch(`${service.url}/admin/tenants/x`, { headers: { origin: ORIGIN } });
    expect([problem.status, problem.headers.get('access-control-allow-origin')]).toEqual([401, ORIGIN]);
  });

  it('is let in from no other', async () => {
    for (const origin of ['https://evil.test', `${ORIGIN}.evil.test`, 'null']) {
      const reply = await fetch(`${service.url}/cache/ns/k`, { method: 'OPTIONS', headers: { origin, ...ask } });
      expect(reply.headers.get('access-control-allow-origin')).toBeNull();
      expect(reply.headers.get('vary')).toBe('origin');
    }
  });
});

describe('a conditional read [C10]', () => {
  it('of what the caller has is 304 without a body or a length, and the connection goes on', async () => {
    const { etag } = (await (await call('/cache/ns/etag', { method: 'PUT', body: 'x' })).json()) as { etag: string };
    const key = `Authorization: Bearer ${tenant.key}`;
    const text = await rawRequest(
      Number(new URL(service.url).port),
      `GET /cache/ns/etag HTTP/1.1\r\nHost: x\r\n${key}\r\nIf-None-Match: ${etag}\r\n\r\n` +
        `GET /cache/ns/etag HTTP/1.1\r\nHost: x\r\n${key}\r\nConnection: close\r\n\r\n`,
    );
    const [first = '', second = ''] = text.split(/(?=HTTP\/1\.1 200)/);
    expect(first).toMatch(/^HTTP\/1\.1 304 /);
    expect(first).not.toMatch(/content-length/i);
    expect(second.endsWith('\r\n\r\nx')).toBe(true);
  });
});
