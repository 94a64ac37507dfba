import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type GatewayRequest, toGatewayEvent } from '../../infra/local/gateway-event.ts';
import { MAX_HEADER_BYTES, MAX_PAYLOAD_BYTES } from '../../infra/local/gateway-limits.ts';
import { createRouteTable } from '../../infra/local/gateway-route.ts';

const routes = createRouteTable([
  { method: 'PUT', path: '/cache/{namespace}/{key+}' },
  { method: 'ANY', path: '$default' },
]);

const request = (changes: Partial<GatewayRequest>): GatewayRequest => ({
  method: 'PUT',
  target: '/cache/ns/key',
  rawHeaders: ['Host', 'api.test'],
  protocol: 'HTTP/1.1',
  sourceIp: '127.0.0.1',
  port: 3000,
  body: undefined,
  requestId: 'request-1',
  nowMs: Date.UTC(2026, 2, 9, 7, 5, 3),
  ...changes,
});

const eventOf = (changes: Partial<GatewayRequest>) => {
  const found = toGatewayEvent(request(changes), routes.match);
  if (found === undefined) throw new Error('no route');
  return found.event;
};

const typed = (type: string) => ['Host', 'api.test', 'Content-Type', type];

describe('the event of a request [A14]', () => {
  it('has the shape of payload format 2.0', () => {
    expect(eventOf({ target: '/cache/ns/key?a=1', rawHeaders: ['Host', 'api.test', 'User-Agent', 'test'] })).toEqual({
      version: '2.0',
      routeKey: 'PUT /cache/{namespace}/{key+}',
      rawPath: '/cache/ns/key',
      rawQueryString: 'a=1',
      headers: {
        host: 'api.test',
        'user-agent': 'test',
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-port': '3000',
        'x-forwarded-proto': 'http',
      },
      queryStringParameters: { a: '1' },
      pathParameters: { namespace: 'ns', key: 'key' },
      isBase64Encoded: false,
      requestContext: expect.objectContaining({
        http: { method: 'PUT', path: '/cache/ns/key', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
        requestId: 'request-1',
        stage: '$default',
        time: '09/Mar/2026:07:05:03 +0000',
      }),
    });
  });

  it.each([
    ['/cache/ns/a%2Fb', 'a/b'],
    ['/cache/ns/a%252Fb', 'a%2Fb'],
    ['/cache/ns/a//b/', 'a//b/'],
    ['/cache/ns/../b', '../b'],
    ['/cache/ns/%E2%82%AC', '€'],
    ['/cache/ns/a+b', 'a+b'],
    ['/cache/ns/%7B%7D*:%00', '{}*:\0'],
  ])('hands over the path of %s decoded once and not tidied', (target, key) => {
    const event = eventOf({ target });
    expect(event.pathParameters).toEqual({ namespace: 'ns', key });
    expect(event.rawPath).toBe(`/cache/ns/${key}`);
    expect(event.requestContext.http.path).toBe(event.rawPath);
  });

  it('finds the route on the decoded path', () => {
    expect(eventOf({ target: '/cache%2Fns%2Fkey' }).routeKey).toBe('PUT /cache/{namespace}/{key+}');
  });

  it.each(['/cache/ns/%ff', '/cache/ns/%', '/cache/ns/%zz', '/x?a=%ff', 'http://a/b', '/cache/\u00e9'])(
    'refuses the target %s with 400',
    (target) => {
      expect(() => eventOf({ target })).toThrow(expect.objectContaining({ status: 400, code: 'invalid_request' }));
    },
  );

  it('joins what is given twice by commas, whatever its name', () => {
    const event = eventOf({
      target: '/?a=1&a=2&__proto__=x&constructor=y&b=c+d&e',
      rawHeaders: ['X-A', '1', 'x-a', '2', '__proto__', '3', 'Constructor', '4', 'X-Forwarded-For', '1.2.3.4'],
    });
    expect(Object.entries(event.queryStringParameters ?? {})).toEqual([
      ['a', '1,2'],
      ['__proto__', 'x'],
      ['constructor', 'y'],
      ['b', 'c d'],
      ['e', ''],
    ]);
    expect(Object.entries(event.headers).slice(0, 4)).toEqual([
      ['x-a', '1,2'],
      ['__proto__', '3'],
      ['constructor', '4'],
      ['x-forwarded-for', '1.2.3.4,127.0.0.1'],
    ]);
  });

  it('puts cookies in a list of their own, and leaves out the headers of the connection', () => {
    const event = eventOf({ rawHeaders: ['Cookie', 'a=1; b=2', 'Cookie', 'c=3', 'Connection', 'close'] });
    expect(event.cookies).toEqual(['a=1', 'b=2', 'c=3']);
    expect(event.headers).not.toHaveProperty('cookie');
    expect(event.headers).not.toHaveProperty('connection');
  });
});

describe('the body of an event [A14 C1]', () => {
  it.each([
    'text/plain',
    'application/json',
    'application/json; charset=utf-8',
    'application/problem+json',
    'application/xml',
    'application/javascript',
  ])('is text for %s', (type) => {
    expect(eventOf({ rawHeaders: typed(type), body: Buffer.from('"ü"') })).toMatchObject({
      body: '"ü"',
      isBase64Encoded: false,
    });
  });

  it.each(['application/octet-stream', 'image/png', 'application/jsonx', 'not a type'])('is base64 for %s', (type) => {
    const body = Buffer.from('"ü"').toString('base64');
    expect(eventOf({ rawHeaders: typed(type), body: Buffer.from('"ü"') })).toMatchObject({
      body,
      isBase64Encoded: true,
    });
  });

  it('never damages a byte, whatever its type says', () => {
    const types = fc.constantFrom('text/plain', 'application/json', 'image/png', '');
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), types, (bytes, type) => {
        const { body = '', isBase64Encoded } = eventOf({ rawHeaders: typed(type), body: Buffer.from(bytes) });
        expect(Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8')).toEqual(Buffer.from(bytes));
        expect(isBase64Encoded || isUtf8(bytes)).toBe(true);
      }),
    );
  });

  it('is left out when empty', () => {
    expect(eventOf({ body: Buffer.alloc(0) })).not.toHaveProperty('body');
  });
});

describe('the limits of an event [A14]', () => {
  const sizeOf = (event: object) => Buffer.byteLength(JSON.stringify(event));

  it.each([
    ['application/octet-stream', 'x', 3],
    ['text/plain', 'x', 1],
    ['text/plain', '"', 1],
    ['text/plain', '\u0001', 1],
  ])('are those of the serialised event, to the byte: %s of %j', (type, unit, step) => {
    const make = (length: number) => eventOf({ rawHeaders: typed(type), body: Buffer.from(unit.repeat(length)) });
    let [fits, tooLarge] = [1, MAX_PAYLOAD_BYTES];
    while (tooLarge - fits > 1) {
      const middle = Math.floor((fits + tooLarge) / 2);
      try {
        make(middle);
        fits = middle;
      } catch {
        tooLarge = middle;
      }
    }
    const largest = sizeOf(make(fits));
    expect(largest).toBeLessThanOrEqual(MAX_PAYLOAD_BYTES);
    expect(largest).toBeGreaterThan(MAX_PAYLOAD_BYTES - 8 * step);
    expect(() => make(tooLarge)).toThrow(expect.objectContaining({ status: 413, code: 'body_too_large' }));
  });

  it('count the request line and all headers together', () => {
    const target = '/cache/ns/key';
    const room = MAX_HEADER_BYTES - target.length - 'x-a'.length;
    expect(eventOf({ target, rawHeaders: ['x-a', 'v'.repeat(room)] }).headers['x-a']).toHaveLength(room);
    expect(() => eventOf({ target, rawHeaders: ['x-a', 'v'.repeat(room + 1)] })).toThrow(
      expect.objectContaining({ status: 431, code: 'headers_too_large' }),
    );
  });
});
