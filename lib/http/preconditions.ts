/** `If-Match` and `If-None-Match` (RFC 9110, 13.1). */
import * as z from 'zod';
import { ETAG } from '../cache/entry-rules.ts';

/** `*`, or ETags without quotes: those that can match; weak ones only where weak comparison holds. */
type EtagList = '*' | readonly string[];

const LIST = /^\s*(?:\*|(?:W\/)?"[\x21\x23-\x7e]*"(?:\s*,\s*(?:W\/)?"[\x21\x23-\x7e]*")*)\s*$/;

const parse =
  (comparison: 'strong' | 'weak') =>
  (value: string): EtagList => {
    if (value.trim() === '*') return '*';
    const tags = [...value.matchAll(/(W\/)?"([^"]*)"/g)];
    return tags
      .filter((tag) => (comparison === 'weak' || tag[1] === undefined) && ETAG.test(tag[2] as string))
      .map((tag) => tag[2] as string);
  };

const header = z.string().max(4_096).regex(LIST, 'must be * or a list of ETags in quotes');

export const IfMatch = header.transform(parse('strong'));
export const IfNoneMatch = header.transform(parse('weak'));

/** Of what has a number as its ETag. A tag that is none matches nothing. */
const numbers =
  (comparison: 'strong' | 'weak') =>
  (value: string): '*' | readonly number[] => {
    if (value.trim() === '*') return '*';
    return [...value.matchAll(/(W\/)?"([^"]*)"/g)]
      .filter(([, weak, tag]) => (comparison === 'weak' || weak === undefined) && NUMBER.test(tag as string))
      .map(([, , tag]) => Number(tag));
  };

const NUMBER = /^(?:0|[1-9]\d{0,14})$/;

/** Of a tenant, whose ETag is its revision. */
export const IfMatchRev = header.transform(numbers('strong'));

/** Of a session: the version it must have. Undefined: any; 0, which none has: nothing matches. */
export const IfMatchVersion = header
  .transform(numbers('strong'))
  .refine((tags) => tags === '*' || tags.length < 2, 'must be one version in quotes, or *')
  .transform((tags) => (tags === '*' ? undefined : (tags[0] ?? 0)));

/** Of a session: versions the caller has. */
export const IfNoneMatchVersion = header.transform(numbers('weak'));
