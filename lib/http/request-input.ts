import * as z from 'zod';
import { InvalidRequestError, type Issue } from '../errors.ts';
import type { Contract, Input } from './contract.ts';
import type { HttpEvent } from './event.ts';
import { readBytes, readJson } from './request-body.ts';

/** Where no query is taken: `?dry_run=true` there must not pass for nothing, and then remove something. */
const NO_QUERY = z.strictObject({});

/**
 * Checks every part of a request against its contract.
 * @throws {InvalidRequestError} naming each bad field of all parts, 20 of a part at most; and what request-body.ts throws.
 */
export function parseInput<C extends Contract>(contract: C, event: HttpEvent): Input<C> {
  const issues: Issue[] = [];
  const part = (name: string, schema: z.ZodType | undefined, value: unknown) => {
    if (schema === undefined) return undefined;
    const parsed = schema.safeParse(value);
    if (!parsed.success) issues.push(...parsed.error.issues.slice(0, MAX_ISSUES).map((issue) => describe(name, issue)));
    return parsed.data;
  };
  const params = part('path', contract.params, event.pathParameters ?? {});
  const query = part('query', contract.query ?? unnamedQuery(contract), event.queryStringParameters ?? {});
  const headers = part('header', contract.headers, event.headers ?? {});
  if (contract.body === undefined && contract.guard.kind !== 'open' && saysSomething(event)) issues.push(NO_BODY);
  const body =
    contract.body === 'bytes'
      ? readBytes(event)
      : contract.body && part('body', contract.body, isAbsent(contract, event) ? {} : readJson(event));
  if (issues.length > 0) throw new InvalidRequestError('The request does not fit what this endpoint takes', { issues });
  return { params, query: contract.query && query, headers, body } as Input<C>;
}

const isAbsent = ({ bodyMayBeAbsent }: Contract, { body }: HttpEvent): boolean =>
  bodyMayBeAbsent === true && (body === undefined || body === null || body === '');

/** Probes and links may carry marks of their own to what is open. */
const unnamedQuery = ({ guard }: Contract) => (guard.kind === 'open' ? undefined : NO_QUERY);

/** What a caller sends is not passed over in silence: a reason, say, that would be kept nowhere. */
const NO_BODY: Issue = { field: 'body', message: 'is not taken here' };

/** `{}` says nothing: some clients send it with every POST. */
function saysSomething({ body = '', isBase64Encoded }: HttpEvent): boolean {
  if (body === '' || body === null) return false;
  const text = (isBase64Encoded ? Buffer.from(body, 'base64').toString('latin1') : body).trim();
  return text !== '' && text !== '{}';
}

/** Of one part: the body of a caller may have more faults than a reply has room for. */
const MAX_ISSUES = 20;
const MAX_FIELD = 200;

/** Names come from the caller where keys are unknown: they are cut, and kept printable. */
const describe = (part: string, issue: z.core.$ZodIssue): Issue => {
  const unknown =
    issue.code === 'unrecognized_keys' ? ` ${issue.keys.map(printable).join(', ').slice(0, MAX_FIELD)}` : '';
  return {
    field: [part, ...issue.path.map((step) => printable(String(step)))].join('.').slice(0, MAX_FIELD),
    message: unknown === '' ? toMessage(issue) : `Unknown fields:${unknown}`,
  };
};

/** The library tells a missing field by the name its language has for nothing. */
const toMessage = ({ message }: z.core.$ZodIssue) =>
  message.endsWith(' received undefined') ? 'is required' : message;

const printable = (name: string) => name.toWellFormed().replace(/\p{C}/gu, '?');
