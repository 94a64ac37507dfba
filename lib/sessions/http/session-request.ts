/** What a request says of sessions, in the words of the library. */
import { NotFoundError } from '../../errors.ts';
import type { HttpEvent } from '../../http/event.ts';
import { memberTexts } from '../../http/json-texts.ts';
import { readBytes } from '../../http/request-body.ts';

/**
 * The values of an object in the body, each as it was sent. What was parsed before has its numbers rounded.
 * @param event whose body fits its contract. @param field that holds the object; one that is not there holds nothing.
 */
export function valueTexts(event: HttpEvent, field: 'data' | 'set'): ReadonlyMap<string, string> {
  const object = memberTexts(readBytes(event).toString('utf8')).get(field);
  return object === undefined ? new Map() : memberTexts(object);
}

export const msOf = (seconds: number | undefined): number | undefined =>
  seconds === undefined ? undefined : seconds * 1_000;

/** @throws {NotFoundError} null: malformed, unknown, another tenant's, expired or ended: not told apart. */
export function requireSession<T>(found: T | null): T {
  if (found === null) throw new NotFoundError('session_not_found', 'No such session');
  return found;
}
