import { InvalidRequestError } from '../errors.ts';

/** The header's value, or undefined. @throws {InvalidRequestError} not 1 to 255 printable ASCII characters. */
export function parseIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (/^[\x21-\x7e]{1,255}$/.test(header)) return header;
  const issues = [{ field: 'header.idempotency-key', message: 'must be 1 to 255 printable ASCII characters' }];
  throw new InvalidRequestError('The request does not fit what this endpoint takes', { issues });
}
