import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { AppError } from '../../lib/errors.ts';
import { admin, type Contract, defineContract, open } from '../../lib/http/contract.ts';
import type { HttpEvent } from '../../lib/http/event.ts';
import { parseInput } from '../../lib/http/request-input.ts';

const contract = defineContract({
  method: 'POST',
  path: '/things/{id}',
  name: 'makeThing',
  summary: 'A thing',
  guard: admin,
  params: z.object({ id: z.string().max(3) }),
  query: z.strictObject({ n: z.string().optional() }),
  headers: z.object({ 'x-a': z.string().max(1).optional() }),
  body: z.strictObject({ list: z.array(z.number()).default([]) }),
  replies: {},
  problems: [],
});

const event = (changes: Partial<HttpEvent> = {}): HttpEvent => ({
  pathParameters: { id: 'a' },
  headers: { 'content-type': 'application/json', 'x-b': 'ignored' },
  body: '{}',
  ...changes,
});

function issuesOf(changes: Partial<HttpEvent>): AppError['issues'] {
  try {
    parseInput(contract, event(changes));
  } catch (error) {
    return (error as AppError).issues;
  }
  return undefined;
}

describe('the input of a handler [A14]', () => {
  it('may have more faults than are told', () => {
    const list = Array.from({ length: 200_000 }, () => 'x');
    const issues = issuesOf({ body: JSON.stringify({ list }), pathParameters: { id: 'long' } });
    expect(issues?.map(({ field }) => field)).toEqual([
      'path.id',
      ...Array.from({ length: 20 }, (_, i) => `body.list.${i}`),
    ]);
  });

  it('is each part as its schema makes it', () => {
    expect(parseInput(contract, event())).toEqual({ params: { id: 'a' }, query: {}, headers: {}, body: { list: [] } });
  });

  it.each([
    ['', false],
    [' \n', false],
    ['{}', false],
    ['e30=', true],
  ])('is nothing where the contract names nothing, and the body says nothing: %j', (body, isBase64Encoded) => {
    const { params: _params, query: _query, headers: _headers, body: _body, ...bare } = contract;
    const input = parseInput<Contract>(bare, event({ body, isBase64Encoded }));
    expect(input).toEqual({ params: undefined, query: undefined, headers: undefined, body: undefined });
  });

  it.each([
    ['{"reason":"late"}', false],
    ['not JSON', false],
    ['eyJyZWFzb24iOiJsYXRlIn0=', true],
  ])('is refused with a body nobody asked for, which would be kept nowhere: %j', (body, isBase64Encoded) => {
    const { body: _body, ...bare } = contract;
    const given = event({ body, isBase64Encoded, headers: { 'content-encoding': 'gzip' } });
    const issues = [{ field: 'body', message: 'is not taken here' }];
    expect(() => parseInput<Contract>(bare, given)).toThrow(expect.objectContaining({ issues }));
    expect(parseInput<Contract>({ ...bare, guard: open }, given).body).toBeUndefined();
  });

  it('is refused with a query parameter nobody asked for, so that a dry_run that is none removes nothing', () => {
    const { query: _query, ...bare } = contract;
    const given = event({ queryStringParameters: { dry_run: 'true' } });
    const issues = [{ field: 'query', message: 'Unknown fields: dry_run' }];
    expect(() => parseInput<Contract>(bare, given)).toThrow(expect.objectContaining({ issues }));
    expect(parseInput<Contract>({ ...bare, guard: open }, given).query).toBeUndefined();
  });

  it('is refused with every bad field of every part', () => {
    const issues = issuesOf({
      pathParameters: { id: 'long' },
      queryStringParameters: { m: '1' },
      headers: { 'content-type': 'application/json', 'x-a': 'long' },
      body: '{"list":[1,"2"]}',
    });
    expect(issues?.map(({ field }) => field)).toEqual(['path.id', 'query', 'header.x-a', 'body.list.1']);
  });

  it('is refused with a word for what is missing', () => {
    const required = { ...contract, body: z.strictObject({ owner: z.object({ id: z.string() }), n: z.number() }) };
    const parse = () => parseInput<Contract>(required, event({ body: '{"n":"1"}' }));
    expect(parse).toThrow(
      expect.objectContaining({
        issues: [
          { field: 'body.owner', message: 'is required' },
          { field: 'body.n', message: 'Invalid input: expected number, received string' },
        ],
      }),
    );
  });

  it('is refused without the values, and with names cut and made printable', () => {
    const name = 'evil\u202e\u0000\n\ud800'.repeat(2_000);
    const [issue] = issuesOf({ queryStringParameters: { [name]: 'secret' } }) ?? [];
    expect(issue?.message).toMatch(/^Unknown fields: evil\?\?\?/);
    expect(issue?.message.length).toBeLessThan(250);
    expect(issue?.message).not.toMatch(/\p{Cc}|\p{Cf}|\p{Cs}/u);
    expect(JSON.stringify(issuesOf({ body: '{"list":["secret"]}' }))).not.toContain('secret');
  });

  it('does not take a name that objects have for one that was sent', () => {
    expect(parseInput(contract, event({ queryStringParameters: JSON.parse('{}') })).query).toEqual({});
    expect(issuesOf({ queryStringParameters: JSON.parse('{"__proto__":"1"}') })?.[0]?.field).toBe('query');
    expect(issuesOf({ queryStringParameters: { constructor: '1' } as never })?.[0]?.field).toBe('query');
  });
});
