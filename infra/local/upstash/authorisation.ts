/** Who may use the endpoint: whoever sends its token. */
import { timingSafeEqual } from 'node:crypto';

/** Checks the `Authorization` header, or the `_token` of the query that Upstash takes in its place. */
export type Authorise = (header: string | undefined, queryToken?: string | null) => boolean;

/** A check against one token; it takes the same time for every wrong token of the right length. */
export function createAuthorisation(token: string): Authorise {
  const expected = Buffer.from(`Bearer ${token}`);
  return (header, queryToken) => {
    const text = header ?? (queryToken ? `Bearer ${queryToken}` : '');
    if (text.length !== expected.length) return false;
    const given = Buffer.from(text);
    return given.length === expected.length && timingSafeEqual(given, expected);
  };
}
