/** The same of what has a number as its ETag: a tenant its revision, a session its version. */
import { EtagHeader } from './preconditions.ts';

/** A tag that is none matches nothing. */
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
export const IfMatchRev = EtagHeader.transform(numbers('strong'));

/** Of a session: the version it must have. Undefined: any; 0, which none has: nothing matches. */
export const IfMatchVersion = EtagHeader.transform(numbers('strong'))
  .refine((tags) => tags === '*' || tags.length < 2, 'must be one version in quotes, or *')
  .transform((tags) => (tags === '*' ? undefined : (tags[0] ?? 0)));

/** Of a session: versions the caller has. */
export const IfNoneMatchVersion = EtagHeader.transform(numbers('weak'));
