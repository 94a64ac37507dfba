/** Requests nobody thought of: each gets a success or a problem, never a fault. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_KEY, newTenant, type TestTenant } from '../support/app.ts';
import { type Door, type DoorReply, type DoorRequest, openDoor } from '../support/door.ts';
import { expectCommonHeaders, readProblem } from '../support/problem.ts';

const RUNS = 400;
const TIMEOUT_MS = 60_000;

let door: Door;
let owner: TestTenant;
beforeAll(async () => {
  door = await openDoor();
  owner = await newTenant(door.app, { quotas: { operations_per_minute: 60_000_000 } });
});

const method = fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'BREW');
const HOSTILE = [
  '{}',
  '{t:x}',
  '*',
  ':',
  '..',
  '%2f',
  '%00',
  '%0d%0a',
  '%ed%a0%80',
  '%',
  '__proto__',
  '//',
  '?',
  '#',
  '%25',
  ';',
  'é',
];
const ascii = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  maxLength: 30,
});
const piece = fc.oneof(
  fc.constantFrom(...HOSTILE),
  ascii,
  fc.string({ unit: 'binary', maxLength: 20 }).map(encodeSafely),
);
const known = fc.constantFrom(
  '/admin/tenants',
  '/admin/tenants/',
  '/cache/',
  '/cache/ns/',
  '/whoami',
  '/health/ready',
  '/openapi.json',
  '/',
);
const query = fc.oneof(
  fc.constant(''),
  fc.constantFrom('?ttl_seconds=60', '?ttl_seconds=never', '?', '?&&', '?a=%ff', '?__proto__=1'),
  ascii.map((text) => `?${text}`),
);
const target = fc
  .tuple(known, fc.array(piece, { maxLength: 3 }), query)
  .map(([base, parts, rest]) => base + parts.join('') + rest);

const headerValue = fc.oneof(
  ascii,
  fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)), maxLength: 60 }),
  fc.constantFrom(
    '',
    '*',
    '"a"',
    'W/"a", "b"',
    ',',
    'application/json',
    'text/html',
    'gzip',
    '%7B%22a%22:%22b%22%7D',
    '%7B',
    'a,b',
  ),
);
const headerName = fc.constantFrom(
  ...[
    'content-type',
    'content-encoding',
    'if-match',
    'if-none-match',
    'idempotency-key',
    'riptide-tags',
    'riptide-version',
  ],
  ...[
    'riptide-source',
    'riptide-attributes',
    'traceparent',
    'tracestate',
    'origin',
    'authorization',
    '__proto__',
    'constructor',
    'x-any',
  ],
);
const headers = fc.dictionary(headerName, headerValue, { maxKeys: 5 });
const body = fc.oneof(
  fc.constant(undefined),
  fc.json().map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
);

function encodeSafely(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function expectFit(request: DoorRequest, reply: DoorReply): void {
  expect([reply.status, request.method, request.target]).toEqual([
    expect.toSatisfy((status: number) => status < 500),
    request.method,
    request.target,
  ]);
  expectCommonHeaders(reply.headers);
  if (reply.status >= 400) readProblem(reply);
}

describe('any request [A14]', () => {
  it('is answered, whatever its path, headers and body', { timeout: TIMEOUT_MS }, async () => {
    const key = fc.constantFrom('none', 'tenant', 'admin');
    await fc.assert(
      fc.asyncProperty(fc.record({ method, target, headers, body, key }), async ({ key, ...request }) => {
        const keys = { none: undefined, tenant: owner.key, admin: ADMIN_KEY };
        expectFit(request, await door.call({ ...request, key: keys[key] }));
      }),
      { numRuns: RUNS },
    );
  });

  it('is answered, whatever JSON asks for a tenant', { timeout: TIMEOUT_MS }, async () => {
    let made = 0;
    const value = fc.oneof(
      { maxDepth: 2 },
      fc.jsonValue(),
      fc.constantFrom('a@b.test', 'free', 'strong', -1, 1.5, 1e308, 2 ** 53, ''),
    );
    const asked = fc.record(
      {
        name: fc.oneof(fc.constant('A'), value),
        owner: fc.oneof(fc.constant({ id: 'o', name: 'A', email: 'a@b.test' }), value),
        plan: fc.oneof(fc.constant('free'), value),
        quotas: fc.oneof(
          fc.constant({}),
          fc.record({ memory_bytes: value, operations_per_minute: value }, { requiredKeys: [] }),
          value,
        ),
        settings: fc.oneof(fc.constant({ theme: 'dark' }), fc.dictionary(fc.string(), value), value),
      },
      { requiredKeys: ['name', 'owner'] },
    );
    await fc.assert(
      fc.asyncProperty(asked, async (tenant) => {
        const request = {
          method: 'POST',
          target: '/admin/tenants',
          key: ADMIN_KEY,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(tenant),
        };
        const reply = await door.call(request);
        expectFit(request, reply);
        if (reply.status !== 201) return;
        made++;
        const { id } = JSON.parse(reply.body.toString());
        const read = await door.call({ target: `/admin/tenants/${id}`, key: ADMIN_KEY });
        expect([read.status, read.body.toString()]).toEqual([200, reply.body.toString()]);
      }),
      { numRuns: RUNS },
    );
    expect(made).toBeGreaterThan(0);
  });

  it('stores a value with any metadata it takes, and gives both back', { timeout: TIMEOUT_MS }, async () => {
    let kept = 0;
    const attributes = fc.dictionary(
      fc.string({ minLength: 1, maxLength: 64, unit: 'binary' }),
      fc.string({ unit: 'binary' }),
      { maxKeys: 4 },
    );
    await fc.assert(
      fc.asyncProperty(piece, attributes, fc.uint8Array({ maxLength: 2_000 }), async (part, given, bytes) => {
        const path = `/cache/fuzz/k${encodeSafely(part)}`;
        const sent = { 'riptide-attributes': encodeURIComponent(JSON.stringify(given)) };
        const put = { method: 'PUT', target: path, key: owner.key, headers: sent, body: Buffer.from(bytes) };
        const stored = await door.call(put);
        expectFit(put, stored);
        if (stored.status >= 300) return;
        kept++;
        const reply = await door.call({ target: path, key: owner.key });
        expect(reply.body.equals(Buffer.from(bytes))).toBe(true);
        expect(JSON.parse(decodeURIComponent(reply.headers['riptide-attributes'] ?? '{}'))).toEqual(given);
      }),
      { numRuns: RUNS },
    );
    expect(kept).toBeGreaterThan(RUNS / 2);
  });
});
