/** What every problem must be, whoever sends it. */
import { expect } from 'vitest';
import * as z from 'zod';
import { findProblemCode } from '../../lib/docs/problem-codes.ts';
import { SECURITY_HEADERS } from '../../lib/http/reply.ts';

const StrictProblem = z.strictObject({
  type: z.string(),
  title: z.string().min(1),
  status: z.int(),
  detail: z.string().min(1),
  code: z.string(),
  request_id: z.string().min(1),
  errors: z
    .array(z.strictObject({ field: z.string().min(1), message: z.string().min(1) }))
    .min(1)
    .optional(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).optional(),
});
export type StrictProblem = z.output<typeof StrictProblem>;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** The problem of an answer, after checking everything that holds of all of them. */
export function readProblem({ status, headers, body }: Answer): StrictProblem {
  expect(headers['content-type']).toBe('application/problem+json');
  const problem = StrictProblem.parse(JSON.parse(body.toString('utf8')));
  expect(problem).toMatchObject({ status, type: `urn:riptide:problem:${problem.code}` });
  expect(findProblemCode(problem.code)?.status).toBe(status);
  expectCommonHeaders(headers);
  expect(headers).toMatchObject(SECURITY_HEADERS);
  expect(headers['x-request-id']).toBe(problem.request_id);
  expect(headers['www-authenticate']).toBe(status === 401 ? 'Bearer realm="riptide"' : undefined);
  if (status === 429 || status === 503) expect(headers['retry-after']).toMatch(/^[1-9]\d*$/);
  return problem;
}

/** @param code the whole of it, as `401 key_missing`. */
export function expectProblem(answer: Answer, code: string): StrictProblem {
  const problem = readProblem(answer);
  expect(`${problem.status} ${problem.code}`).toBe(code);
  return problem;
}

/** Headers of every answer of a function, a value or a problem. */
export function expectCommonHeaders(headers: Readonly<Record<string, string>>): void {
  const { 'cache-control': _own, 'content-security-policy': _pages, ...fixed } = SECURITY_HEADERS;
  expect(headers).toMatchObject(fixed);
  expect(headers['content-security-policy']).toContain("default-src 'none'");
  expect(headers['cache-control']).toBeDefined();
  expect(headers['x-request-id']).toMatch(/^[\w-]{1,64}$/);
}
