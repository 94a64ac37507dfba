/** What a route answers with: the replies of its contract, and a problem for each other status. */
import { exampleProblem } from '../docs/example-problem.ts';
import { exampleOf } from '../docs/examples.ts';
import { findProblemCode, PROBLEM_CODES } from '../docs/problem-codes.ts';
import { problemCodesOf, takesIdempotencyKey } from '../docs/route-problems.ts';
import type { Contract, ReplySpec } from './contract.ts';
import { describeSchema } from './openapi-schemas.ts';
import type { Header, MediaType, Reference, Reply } from './openapi-types.ts';

const text = { type: 'string' };

/** Headers that many replies have, as components. */
export const SHARED_HEADERS: Readonly<Record<string, Header>> = {
  'X-Request-Id': { description: 'Names the request in our log.', schema: text },
  RateLimit: {
    description: 'What is left, as `"burst";r=99;t=1, "minute";r=999;t=42` (draft-ietf-httpapi-ratelimit-headers-10).',
    schema: text,
  },
  'RateLimit-Policy': { description: 'The limits, as `"burst";q=100;w=6, "minute";q=1000;w=60`.', schema: text },
  'Retry-After': { description: 'Seconds to wait before trying again.', schema: { type: 'integer', minimum: 1 } },
  'WWW-Authenticate': { description: 'The scheme to authenticate with: Bearer.', schema: text },
  'Idempotency-Status': {
    description:
      'With an Idempotency-Key: whether this answer was kept just now, or before; or there is no room for it.',
    schema: { type: 'string', enum: ['stored', 'replayed', 'not_stored'] },
  },
};

const RETRYABLE = new Set([429, 503, 504]);
/** Codes that say it where others of their status do not. */
const RETRYABLE_CODES: readonly string[] = ['idempotency_in_progress', 'session_memory_full'];

/** One problem of each code, as components. */
export const describeProblemExamples = (): Readonly<Record<string, { readonly value: unknown }>> =>
  Object.fromEntries(Object.keys(PROBLEM_CODES).map((code) => [code, { value: exampleProblem(code) }]));

/** By status. A status that has both a reply and problems has both content types. */
export function describeReplies(contract: Contract): Readonly<Record<string, Reply>> {
  const replies: Record<string, Reply> = {};
  for (const [status, spec] of Object.entries(contract.replies)) replies[status] = describeReply(contract, spec);
  for (const [status, codes] of groupByStatus(problemCodesOf(contract))) {
    const problem = describeProblem(contract, status, codes);
    const reply = replies[status];
    replies[status] = reply === undefined ? problem : { ...reply, content: { ...reply.content, ...problem.content } };
  }
  return replies;
}

function describeReply(contract: Contract, { description, schema, bytes, headers = {} }: ReplySpec): Reply {
  const own = Object.entries(headers).map(([name, says]) => [name, { description: says, schema: text }] as const);
  const media: MediaType | undefined = schema && {
    schema: describeSchema(schema, 'output'),
    ...exampleField(exampleOf(contract.name).reply),
  };
  return {
    description,
    headers: { ...Object.fromEntries(own), ...idempotencyHeader(contract), ...sharedHeaders(contract) },
    ...(media === undefined ? {} : { content: { 'application/json': media } }),
    ...(bytes === true ? { content: { '*/*': {} } } : {}),
  };
}

const exampleField = (value: unknown) => (value === undefined ? {} : { example: value });

function describeProblem(contract: Contract, status: number, codes: readonly string[]): Reply {
  const lines = codes.map((code) => `- \`${code}\`: ${findProblemCode(code)?.meaning ?? 'See the contract.'}`);
  const retry =
    RETRYABLE.has(status) || codes.some((code) => RETRYABLE_CODES.includes(code))
      ? { 'Retry-After': headerRef('Retry-After') }
      : {};
  const challenge = status === 401 ? { 'WWW-Authenticate': headerRef('WWW-Authenticate') } : {};
  const examples = Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]));
  const content = {
    'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' }, examples },
  };
  return {
    description: lines.join('\n'),
    headers: { ...retry, ...challenge, ...sharedHeaders(contract) },
    // The answer to a HEAD request has no body.
    ...(contract.method === 'HEAD' ? {} : { content }),
    'x-problem-codes': codes,
  };
}

function sharedHeaders({ guard }: Contract): Readonly<Record<string, Reference>> {
  const limits = guard.kind === 'tenant' ? ['RateLimit', 'RateLimit-Policy'] : [];
  return Object.fromEntries(['X-Request-Id', ...limits].map((name) => [name, headerRef(name)]));
}

const idempotencyHeader = (contract: Contract) =>
  takesIdempotencyKey(contract) ? { 'Idempotency-Status': headerRef('Idempotency-Status') } : {};

const headerRef = (name: string): Reference => ({ $ref: `#/components/headers/${name}` });

function groupByStatus(codes: readonly string[]): ReadonlyMap<number, readonly string[]> {
  return Map.groupBy(codes, (code) => findProblemCode(code)?.status ?? 500);
}
