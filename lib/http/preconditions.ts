/** `If-Match` and `If-None-Match` (RFC 9110, 13.1). */
import * as z from 'zod';

/** `*`, or ETags without quotes; weak ones only where weak comparison holds. */
export type EtagList = '*' | readonly string[];

const LIST = /^\s*(?:\*|(?:W\/)?"[\x21\x23-\x7e]*"(?:\s*,\s*(?:W\/)?"[\x21\x23-\x7e]*")*)\s*$/;

const parse = (comparison: 'strong' | 'weak') => (value: string) => {
  if (value.trim() === '*') return '*' as const;
  const tags = [...value.matchAll(/(W\/)?"([^"]*)"/g)];
  // Ours are base64url: another tag cannot match, and must not reach a script's list.
  return tags
    .filter((tag) => (comparison === 'weak' || tag[1] === undefined) && /^[\w-]+$/.test(tag[2] as string))
    .map((tag) => tag[2] as string);
};

const header = z.string().max(4_096).regex(LIST, 'must be * or a list of ETags in quotes');

export const IfMatch = header.transform(parse('strong'));
export const IfNoneMatch = header.transform(parse('weak'));
