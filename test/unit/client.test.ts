import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, expectTypeOf, it, onTestFinished } from 'vitest';
import { type ClientOptions, createClient } from '../../lib/client/client.ts';
import { exampleOf } from '../../lib/docs/examples.ts';

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

type Answer = (response: ServerResponse, seen: Seen, count: number) => void;

/** A real HTTP server that answers as told, and a client of it. */
async function serverThat(answer: Answer, options: Partial<ClientOptions> = {}) {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const one = { method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(chunks) };
    seen.push(one);
    answer(response, one, seen.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { client: createClient({ baseUrl, key: 'the-key-of-a-test', ...options }), seen, server, baseUrl };
}

const json = (response: ServerResponse, status: number, value: unknown, headers: Record<string, string> = {}) =>
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));

const problem = (response: ServerResponse, status: number, code: string, headers: Record<string, string> = {}) =>
  json(
    response,
    status,
    { type: `urn:riptide:problem:${code}`, title: 'T', status, detail: 'D', code, request_id: 'r-1' },
    { ...headers, 'content-type': 'application/problem+json' },
  );

const entry = { namespace: 'pages', key: 'en/home' };
const written = exampleOf('putEntry').reply;
const owner = { id: 'o', name: 'Ada', email: 'ada@acme.test' };

describe('a call becomes the request its contract describes [A16]', () => {
  it('puts params, query, headers, key and bytes where they belong', async () => {
    const { client, seen } = await serverThat((response) => json(response, 201, written));
    const value = new Uint8Array([0, 255, 10, 13]);
    const reply = await client.putEntry({
      params: { namespace: 'pages', key: 'ein Schlüssel/ä%2F+&' },
      query: { ttl_seconds: 60 },
      headers: { 'content-type': 'image/x', 'riptide-version': '7', 'if-match': undefined },
      body: value,
    });
    expect(reply).toMatchObject({ ok: true, status: 201, data: { created: true } });
    expect(seen[0]?.url).toBe('/cache/pages/ein%20Schl%C3%BCssel/%C3%A4%252F%2B%26?ttl_seconds=60');
    expect(seen[0]?.headers).toMatchObject({
      authorization: 'Bearer the-key-of-a-test',
      'content-type': 'image/x',
      'riptide-version': '7',
    });
    expect(seen[0]?.headers).not.toHaveProperty('if-match');
    expect(seen[0]?.headers).not.toHaveProperty('idempotency-key');
    expect(seen[0]?.body).toEqual(Buffer.from(value));
  });

  it('sends text as its UTF-8 bytes, without a content type that nobody gave', async () => {
    const { client, seen } = await serverThat((response) => json(response, 200, written));
    await client.putEntry({ params: entry, body: 'ä' });
    expect(seen[0]?.headers).not.toHaveProperty('content-type');
    expect(seen[0]?.body.toString('hex')).toBe('c3a4');
  });

  it('sends JSON, an empty object where nothing must be said, and a new Idempotency-Key with each POST', async () => {
    const { client, seen } = await serverThat((response) => json(response, 201, exampleOf('createKey').reply));
    const params = { id: 'tenant-01k0xw6h9te3m8q5v2r7c4n1ba' };
    await client.createKey({ params });
    await client.createKey({ params, idempotencyKey: 'mine' });
    await client.createKey({ params, idempotencyKey: null });
    expect(String(seen[0]?.body)).toBe('{}');
    expect(seen[0]?.headers['content-type']).toBe('application/json');
    expect(seen.map(({ headers }) => headers['idempotency-key'])).toEqual([
      expect.stringMatching(/^[0-9a-f]{32}$/),
      'mine',
      undefined,
    ]);
  });

  it('names a call of its own accord only where keeping the answer costs less than the call', async () => {
    const { client, seen } = await serverThat((response) => json(response, 200, exampleOf('checkLimit').reply));
    const call = { params: { name: 'logins' }, body: { identifier: 'user-42', limit: 5, window_ms: 60_000 } };
    await client.checkLimit(call);
    await client.checkLimit({ ...call, idempotencyKey: 'mine' });
    expect(seen.map(({ headers }) => headers['idempotency-key'])).toEqual([undefined, 'mine']);
  });

  it('keeps the key from endpoints that take none, and keeps a stage of the address', async () => {
    const { seen, baseUrl } = await serverThat((response) => json(response, 200, { status: 'live' }));
    await createClient({ baseUrl: `${baseUrl}/prod/`, key: 'secret' }).checkLive();
    expect(seen[0]?.url).toBe('/prod/health/live');
    expect(seen[0]?.headers).not.toHaveProperty('authorization');
  });

  it('refuses an address that is none', () => {
    expect(() => createClient({ baseUrl: 'ftp://files' })).toThrow(TypeError);
    expect(() => createClient({ baseUrl: 'nowhere' })).toThrow(TypeError);
  });

  it('sends nothing that HTTP cannot carry', async () => {
    const { client, seen } = await serverThat((response) => json(response, 200, written));
    const refused = await client.putEntry({ params: entry, headers: { 'riptide-version': 'a\r\nb' }, body: '' });
    expect(refused).toMatchObject({ ok: false, status: 0, problem: { code: 'invalid_request' } });
    expect(seen).toEqual([]);
  });
});

describe('an answer becomes an outcome, never a throw [A16]', () => {
  it('gives a value byte for byte with its type, even one that looks like a problem', async () => {
    const bytes = Buffer.from([0x7b, 0, 0xff]);
    const { client } = await serverThat((response) =>
      response.writeHead(200, { 'content-type': 'application/problem+json', etag: '"e"' }).end(bytes),
    );
    const reply = await client.getEntry({ params: entry });
    if (!reply.ok || reply.status !== 200) throw new Error('no value');
    expect(Buffer.from(reply.bytes)).toEqual(bytes);
    expect(reply.contentType).toBe('application/problem+json');
    expect(reply.headers.get('etag')).toBe('"e"');
  });

  it('tells an unchanged value from a new one', async () => {
    const { client, seen } = await serverThat((response) => response.writeHead(304, { etag: '"e"' }).end());
    const reply = await client.getEntry({ params: entry, headers: { 'if-none-match': '"e"' } });
    expect(reply).toMatchObject({ ok: true, status: 304 });
    expect(seen[0]?.headers['if-none-match']).toBe('"e"');
  });

  it('gives a problem with its code, and when to come back', async () => {
    const { client } = await serverThat((response) => problem(response, 429, 'rate_limited', { 'retry-after': '7' }));
    expect(await client.getEntry({ params: entry })).toMatchObject({
      ok: false,
      status: 429,
      retryAfterMs: 7_000,
      problem: { code: 'rate_limited', detail: 'D', request_id: 'r-1' },
    });
  });

  it('reads a Retry-After that is a date', async () => {
    const date = new Date(Date.now() + 60_000).toUTCString();
    const { client } = await serverThat((response) =>
      problem(response, 503, 'store_unavailable', { 'retry-after': date }),
    );
    const reply = await client.whoAmI();
    if (reply.ok) throw new Error('no failure');
    expect(reply.retryAfterMs).toBeGreaterThan(50_000);
    expect(reply.retryAfterMs).toBeLessThanOrEqual(60_000);
  });

  it('names the problem of a HEAD request by its header, for there is no body', async () => {
    const { client } = await serverThat((response, { url }) =>
      response
        .writeHead(404, {
          'x-request-id': 'r-2',
          ...(url?.endsWith('gone') ? { 'riptide-problem': 'entry_not_found' } : {}),
        })
        .end(),
    );
    const gone = await client.headEntry({ params: { namespace: 'pages', key: 'gone' } });
    expect(gone).toMatchObject({ ok: false, status: 404, problem: { code: 'entry_not_found', request_id: 'r-2' } });
    expect(await client.headEntry({ params: entry })).toMatchObject({ status: 404, problem: { code: 'http_404' } });
  });

  it('gives a reply of the contract whatever its status: a service that is not ready says what is missing', async () => {
    const data = { status: 'unavailable', components: { redis: 'down', s3: 'up' } };
    const { client, seen } = await serverThat((response) => json(response, 503, data, { 'retry-after': '1' }), {
      retries: 3,
    });
    expect(await client.checkReady()).toMatchObject({ ok: true, status: 503, data });
    expect(seen).toHaveLength(1);
  });

  it.each<[string, Answer]>([
    ['a field of another type', (response) => json(response, 200, { status: 5 })],
    ['no JSON', (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{')],
    ['a status no contract names', (response) => json(response, 202, { status: 'live' })],
    ['a page of something between', (response) => response.writeHead(502).end('<h1>Bad gateway</h1>')],
    ['a redirect', (response) => response.writeHead(302, { location: '/health/ready' }).end()],
    ['a problem without a code', (response) => json(response, 500, {}, { 'content-type': 'application/problem+json' })],
  ])('calls %s unexpected', async (_name, answer) => {
    const { client, seen } = await serverThat(answer);
    expect(await client.checkLive()).toMatchObject({ ok: false, problem: { code: 'unexpected_reply' } });
    expect(seen).toHaveLength(1);
  });

  it('lets a reply grow', async () => {
    const { client } = await serverThat((response) => json(response, 200, { status: 'live', since: 'today' }));
    expect(await client.checkLive()).toMatchObject({ ok: true, data: { status: 'live' } });
  });

  it('says that the service cannot be reached, or broke off', async () => {
    const { client, server, baseUrl } = await serverThat((response) => response.destroy());
    expect(await client.checkLive()).toMatchObject({ ok: false, status: 0, problem: { code: 'network_error' } });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const gone = await createClient({ baseUrl }).checkLive();
    expect(gone).toMatchObject({ ok: false, status: 0, problem: { code: 'network_error' } });
  });

  it('ends in time when nothing answers, also when the body stays out, and when the caller says so', async () => {
    const { client } = await serverThat((response, { url }) => {
      if (url === '/openapi.json') response.writeHead(200).write('{');
    });
    expect(await client.checkLive({ timeoutMs: 60 })).toMatchObject({ status: 0, problem: { code: 'timeout' } });
    expect(await client.getOpenapi({ timeoutMs: 60 })).toMatchObject({ status: 0, problem: { code: 'timeout' } });
    const signal = AbortSignal.abort();
    expect(await client.checkLive({ signal })).toMatchObject({ status: 0, problem: { code: 'aborted' } });
  });
});

describe('repeating is opt-in, patient and safe [A16]', () => {
  const busyOnce =
    (status: number, code: string, retryAfter: string): Answer =>
    (response, _seen, count) =>
      count === 1 ? problem(response, status, code, { 'retry-after': retryAfter }) : json(response, 201, written);

  it('repeats nothing unless asked', async () => {
    const { client, seen } = await serverThat(busyOnce(503, 'store_unavailable', '0'));
    expect(await client.putEntry({ params: entry, body: '1' })).toMatchObject({ ok: false, status: 503 });
    expect(seen).toHaveLength(1);
  });

  it('waits as long as Retry-After says, then succeeds', async () => {
    const { client, seen } = await serverThat(busyOnce(429, 'rate_limited', '1'), { retries: 1 });
    const startedAt = performance.now();
    expect(await client.putEntry({ params: entry, body: '1' })).toMatchObject({ ok: true, status: 201 });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(990);
    expect(seen).toHaveLength(2);
  });

  it('answers at once when waiting would pass the deadline', async () => {
    const { client, seen } = await serverThat(busyOnce(429, 'quota_exceeded', '60'), { retries: 5, timeoutMs: 2_000 });
    expect(await client.putEntry({ params: entry, body: '1' })).toMatchObject({ status: 429, retryAfterMs: 60_000 });
    expect(seen).toHaveLength(1);
  });

  it('gives up after the number it was told', async () => {
    const busy: Answer = (response) => problem(response, 503, 'store_unavailable', { 'retry-after': '0' });
    const { client, seen } = await serverThat(busy, { retries: 2 });
    expect(await client.getEntry({ params: entry })).toMatchObject({ status: 503 });
    expect(seen).toHaveLength(3);
  });

  it('repeats a POST with the same Idempotency-Key, and not without one', async () => {
    const busy: Answer = (response) => problem(response, 503, 'outcome_unknown', { 'retry-after': '0' });
    const { client, seen } = await serverThat(busy, { retries: 1 });
    await client.createTenant({ body: { name: 'Acme', owner } });
    await client.createTenant({ body: { name: 'Acme', owner }, idempotencyKey: null });
    expect(seen).toHaveLength(3);
    expect(seen[1]?.headers['idempotency-key']).toBe(seen[0]?.headers['idempotency-key']);
  });

  it('waits for its own first request, when that still runs', async () => {
    const { client, seen } = await serverThat(
      (response, _seen, count) => {
        if (count === 1) problem(response, 503, 'outcome_unknown', { 'retry-after': '0' });
        else if (count === 2) problem(response, 409, 'idempotency_in_progress', { 'retry-after': '0' });
        else json(response, 201, exampleOf('createTenant').reply);
      },
      { retries: 2 },
    );
    expect(await client.createTenant({ body: { name: 'Acme', owner } })).toMatchObject({ ok: true, status: 201 });
    expect(seen).toHaveLength(3);
  });

  it('leaves a conditional write alone when the first may have been applied', async () => {
    const { client, seen } = await serverThat(busyOnce(503, 'outcome_unknown', '0'), { retries: 3 });
    const put = { params: entry, body: '1', headers: { 'if-none-match': '*' } } as const;
    expect(await client.putEntry(put)).toMatchObject({ problem: { code: 'outcome_unknown' } });
    expect(seen).toHaveLength(1);
  });

  it('repeats neither what is refused for good nor what broke', async () => {
    const { client, seen } = await serverThat((response) => problem(response, 507, 'memory_full'), { retries: 3 });
    await client.putEntry({ params: entry, body: '1' });
    expect(seen).toHaveLength(1);
  });
});

describe('types come from the contracts [A16]', () => {
  type Client = ReturnType<typeof createClient>;
  type Reply<N extends keyof Client> = Extract<Awaited<ReturnType<Client[N]>>, { readonly ok: true }>;

  it('asks for what must be given, and tells replies apart', () => {
    expectTypeOf<Parameters<Client['checkLive']>>().toExtend<[unknown?]>();
    expectTypeOf<{ params: { namespace: string; key: string } }>().toExtend<Parameters<Client['getEntry']>[0]>();
    expectTypeOf<{ params: { namespace: string } }>().not.toExtend<Parameters<Client['getEntry']>[0]>();
    expectTypeOf<Reply<'checkLive'>['data']>().toEqualTypeOf<{ status: 'live' }>();
    expectTypeOf<Reply<'getEntry'>['status']>().toEqualTypeOf<200 | 303 | 304>();
    expectTypeOf<Extract<Reply<'putEntry'>, { status: 201 }>['data']['created']>().toEqualTypeOf<boolean>();
    expectTypeOf<Extract<Reply<'getEntry'>, { status: 304 }>>().not.toHaveProperty('bytes');
  });
});
