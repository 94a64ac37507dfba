import { InvalidRequestError } from '../errors.ts';
import type { Input } from '../http/contract.ts';
import type { deleteEntryContract } from './delete-contract.ts';

/** Giving a lease back removes nothing. @throws {InvalidRequestError} something is said of a removal besides. */
export function requireOnlyLease({
  query,
  headers,
}: Pick<Input<typeof deleteEntryContract>, 'query' | 'headers'>): void {
  if (query.dry_run === undefined && headers['if-match'] === undefined) return;
  const issue = { field: 'header.riptide-lease', message: 'must stand alone: it removes nothing' };
  throw new InvalidRequestError('A lease is given back, or an entry removed', { issues: [issue] });
}
