import { rm } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { dirname } from 'node:path';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Host, startHost } from '../../infra/local/host.ts';
import { readServiceMap } from '../../infra/local/service-map.ts';
import { ECHO, writeFixtureService } from '../support/fixture-service.ts';
import { rawRequest } from '../support/raw-request.ts';

let host: Host;
let serviceFile: string;
const failures: [name: string, error: unknown][] = [];

const FUNCTIONS = {
  echo: { events: ['ANY /echo/{rest+}', '*'], body: ECHO },
  late: { events: ['GET /late'], body: 'await new Promise(() => {});', timeout: 0.05 },
  broken: { events: ['GET /broken'], body: "throw new Error('secret detail');" },
  unloadable: { events: ['GET /unloadable'], body: '}; import "no-such-module"; async () => {' },
  huge: { events: ['GET /huge'], body: "return { statusCode: 200, body: 'x'.repeat(7e6) };" },
  binary: {
    events: ['GET /binary'],
    body: "return { statusCode: 200, headers: { 'content-type': 'image/png' }, body: 'AP8K', isBase64Encoded: true };",
  },
  head: {
    events: ['HEAD /head'],
    body: "return { statusCode: 200, headers: { 'content-length': '1234', etag: '\"a\"' } };",
  },
  empty: { events: ['GET /empty'], body: "return { statusCode: 204, headers: { 'x-a': '1' } };" },
  context: {
    events: ['GET /context'],
    body: 'return { statusCode: 200, body: JSON.stringify({ ...context, leftMs: context.getRemainingTimeInMillis(), sameId: context.awsRequestId === event.requestContext.requestId }) };',
  },
  slow: {
    events: ['GET /slow'],
    body: 'globalThis.slowStarted = true; await new Promise((r) => { globalThis.finishSlow = r; }); return { statusCode: 200, body: "done" };',
  },
};

const startFixture = async () =>
  startHost({
    ...(await readServiceMap(serviceFile)),
    port: 0,
    onError: (name, error) => failures.push([name, error]),
  });

beforeAll(async () => {
  serviceFile = await writeFixtureService(FUNCTIONS);
  host = await startFixture();
});

afterAll(async () => {
  await host.stop(AbortSignal.timeout(100));
  await rm(dirname(serviceFile), { recursive: true });
});

async function expectProblem(response: Response, status: number, code: string): Promise<void> {
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(await response.json()).toEqual({
    type: `urn:riptide:problem:${code}`,
    title: expect.any(String),
    status,
    detail: expect.any(String),
    code,
    request_id: response.headers.get('apigw-requestid'),
  });
}

interface EchoedEvent extends APIGatewayProxyEventV2 {
  readonly leftMs: number;
}

async function readJson(response: Response): Promise<EchoedEvent> {
  return (await response.json()) as EchoedEvent;
}

/** The reply of node:http, whose client sends a path as it is. */
function get(path: string, options: object = {}): Promise<IncomingMessage & { text: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port: host.port, host: '127.0.0.1', path, ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve(Object.assign(response, { text: Buffer.concat(chunks).toString() })));
    });
    request.on('error', reject).end();
  });
}

describe('the HTTP host [A14]', () => {
  it('hands the path over decoded once, and neither tidied nor rejected', async () => {
    for (const [path, rest] of [
      ['/echo/a%2Fb', 'a/b'],
      ['/echo/../x/./y', '../x/./y'],
      ['/echo//a//', '/a//'],
      ['/echo/%252F', '%2F'],
      ['/echo/;a=b', ';a=b'],
    ] as const) {
      const event = JSON.parse((await get(path)).text);
      expect(event.pathParameters).toEqual({ rest });
      expect(event.rawPath).toBe(`/echo/${rest}`);
    }
  });

  it.each(['application/json', 'text/plain', 'not a type', 'image/png; =;', undefined])(
    'hands over a body byte for byte, with the content type %s',
    async (type) => {
      const body = Buffer.from([0x7b, 0xff, 0x00, 0x0a]);
      const headers = type === undefined ? {} : { 'content-type': type };
      const event = await readJson(await fetch(`${host.url}/echo/a`, { method: 'PUT', body, headers }));
      expect(Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8')).toEqual(body);
      expect(event.headers['content-type']).toBe(type);
    },
  );

  it('hands over a body that comes in chunks, with its length', async () => {
    const stream = new Blob(['chunk', 'ed']).stream();
    const init = { method: 'POST', body: stream, duplex: 'half', headers: { 'content-type': 'text/plain' } };
    const event = await readJson(await fetch(`${host.url}/echo/a`, init as RequestInit));
    expect(event).toMatchObject({ body: 'chunked', isBase64Encoded: false, headers: { 'content-length': '7' } });
  });

  it('gives a function the context Lambda gives', async () => {
    const context = await readJson(await fetch(`${host.url}/context`));
    expect(context).toMatchObject({ functionName: 'context', memoryLimitInMB: '1024', sameId: true });
    expect(context.leftMs).toBeGreaterThan(28_000);
    expect(context.leftMs).toBeLessThanOrEqual(29_000);
  });

  it('answers with what the function returns, and adds nothing to its headers', async () => {
    const binary = await fetch(`${host.url}/binary`);
    expect(binary.headers.get('content-type')).toBe('image/png');
    expect(Buffer.from(await binary.arrayBuffer())).toEqual(Buffer.from([0, 255, 10]));
    const empty = await get('/empty');
    expect(empty.statusCode).toBe(204);
    expect(empty.headers).not.toHaveProperty('content-length');
    expect(empty.headers['x-a']).toBe('1');
  });

  it('answers HEAD without a body, with the length the function gives', async () => {
    const reply = await get('/head', { method: 'HEAD' });
    expect(reply.headers).toMatchObject({ 'content-length': '1234', etag: '"a"' });
    expect(reply.text).toBe('');
  });
});

describe('what the gateway refuses by itself [A14]', () => {
  it('answers 400 to a path that cannot be decoded', async () => {
    await expectProblem(await fetch(`${host.url}/echo/%ff`), 400, 'invalid_request');
  });

  it('answers 431 to headers above 10,240 bytes, also to ones the parser refuses', async () => {
    await expectProblem(await fetch(host.url, { headers: { 'x-a': 'v'.repeat(10_240) } }), 431, 'headers_too_large');
    const raw = await rawRequest(host.port, `GET / HTTP/1.1\r\nhost: a\r\nx-a: ${'v'.repeat(60_000)}\r\n\r\n`);
    expect(raw).toMatch(/^HTTP\/1\.1 431 /);
    expect(raw).toContain('"code":"headers_too_large"');
  });

  it('answers 413 to an event above 6,291,456 bytes, and to a body above 10 MB', async () => {
    const largest = Buffer.alloc(4 * 1024 * 1024);
    const event = await readJson(await fetch(host.url, { method: 'PUT', body: largest }));
    expect(Buffer.from(event.body ?? '', 'base64')).toEqual(largest);
    await expectProblem(await fetch(host.url, { method: 'PUT', body: Buffer.alloc(4_800_000) }), 413, 'body_too_large');
    await expectProblem(
      await fetch(host.url, { method: 'PUT', body: Buffer.alloc(11_000_000) }),
      413,
      'body_too_large',
    );
  });

  it('answers 400 to what is not HTTP', async () => {
    expect(await rawRequest(host.port, 'nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 .*"code":"invalid_request"/s);
  });
});

describe('when a function fails [A14]', () => {
  it('answers 503 after its timeout', async () => {
    await expectProblem(await fetch(`${host.url}/late`), 503, 'gateway_timeout');
  });

  it.each(['broken', 'unloadable'])('answers 500 without a reason, and tells the operator: %s', async (name) => {
    const response = await fetch(`${host.url}/${name}`);
    expect(await response.clone().text()).not.toContain('secret detail');
    await expectProblem(response, 500, 'internal');
    expect(failures.map(([failed]) => failed)).toContain(name);
  });

  it('answers 500 to a reply larger than Lambda sends, and tells the operator', async () => {
    await expectProblem(await fetch(`${host.url}/huge`), 500, 'reply_too_large');
    expect(failures.map(([failed]) => failed)).toContain('huge');
  });
});

describe('stopping the host [K7]', () => {
  const globals = globalThis as { slowStarted?: boolean; finishSlow?: () => void };
  const slowStarted = () => expect.poll(() => globals.slowStarted, { timeout: 5000, interval: 5 }).toBe(true);

  it('lets a request under way end, and takes no new one', async () => {
    globals.slowStarted = false;
    const other = await startFixture();
    const answer = fetch(`${other.url}/slow`);
    await slowStarted();
    const stopped = other.stop(AbortSignal.timeout(5000));
    await expect
      .poll(
        () =>
          fetch(`${other.url}/echo/a`).then(
            () => 'open',
            () => 'closed',
          ),
        { timeout: 5000 },
      )
      .toBe('closed');
    globals.finishSlow?.();
    expect(await (await answer).text()).toBe('done');
    await stopped;
  });

  it('cuts off a request that does not end in time', async () => {
    globals.slowStarted = false;
    const other = await startFixture();
    const answer = fetch(`${other.url}/slow`).then(
      () => 'answered',
      () => 'cut off',
    );
    await slowStarted();
    await other.stop(AbortSignal.timeout(50));
    expect(await answer).toBe('cut off');
  });

  it('says that a port is taken', async () => {
    await expect(startHost({ routes: [], port: host.port, onError: () => {} })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });
});
