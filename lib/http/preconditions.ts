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

/** The text of either header. */
export const EtagHeader = z.string().max(4_096).regex(LIST, 'must be * or a list of ETags in quotes');

export const IfMatch = EtagHeader.transform(parse('strong'));
export const IfNoneMatch = EtagHeader.transform(parse('weak'));
