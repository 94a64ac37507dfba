/** `If-Match` and `If-None-Match` (RFC 9110, 13.1). */
import * as z from 'zod';

/** `*`, or ETags without quotes; weak ones only where weak comparison holds. */
export type EtagList = '*' | readonly string[];

const LIST = /^\s*(?:\*|(?:W\/)?"[\x21\x23-\x7e]*"(?:\s*,\s*(?:W\/)?"[\x21\x23-\x7e]*")*)\s*$/;

/**
 * An entry's digest. Another tag cannot match, and must not reach a script: there `absent` and `exists` are conditions,
 * and a comma ends a tag.
 */
const OURS = /^[\w-]{22}$/;

const parse = (comparison: 'strong' | 'weak') => (value: string) => {
  if (value.trim() === '*') return '*' as const;
  const tags = [...value.matchAll(/(W\/)?"([^"]*)"/g)];
  return tags
    .filter((tag) => (comparison === 'weak' || tag[1] === undefined) && OURS.test(tag[2] as string))
    .map((tag) => tag[2] as string);
};

const header = z.string().max(4_096).regex(LIST, 'must be * or a list of ETags in quotes');

export const IfMatch = header.transform(parse('strong'));
export const IfNoneMatch = header.transform(parse('weak'));
