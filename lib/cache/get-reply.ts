/** What a GET answers: the value, what is known of it, or that there is none; with the lease to load it. */
import { InvalidRequestError, NotFoundError } from '../errors.ts';
import type { Input } from '../http/contract.ts';
import { problemOf } from '../http/problem.ts';
import type { Result } from '../http/result.ts';
import type { getEntryContract } from './contract.ts';
import type { StoredEntry } from './entry.ts';
import { entryHeaders, linkReply } from './entry-headers.ts';
import type { Lease, LeasedRead, LeaseOptions, Linked, ReadOptions, Unchanged } from './entry-reader.ts';
import type { LinkedEntry } from './large/value-links.ts';

type Query = Pick<Input<typeof getEntryContract>, 'query' | 'headers'>;

export function readOptionsOf({ query, headers }: Query): ReadOptions {
  const ifNoneMatch = headers['if-none-match'];
  return { stale: query.stale === 'allow', ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }) };
}

/** @throws {InvalidRequestError} longer than the deployment allows. */
export function leaseOptionsOf(input: Query, leaseMs: number, maxLeaseMs: number): LeaseOptions & ReadOptions {
  if (leaseMs <= maxLeaseMs) return { ...readOptionsOf(input), leaseMs, earlyShare: 0 };
  const issue = { field: 'query.lease_ms', message: `must be at most ${maxLeaseMs}` };
  throw new InvalidRequestError('The lease would last too long', { issues: [issue] });
}

/** Whether the caller, who cannot follow redirects, is told in a header where a large value is. */
interface LinkChoice {
  readonly linkInHeader: boolean;
}

/** @throws {NotFoundError} */
export function toGetReply(entry: StoredEntry | Unchanged | LinkedEntry | null, { linkInHeader }: LinkChoice): Result {
  if (entry === null) throw notFound();
  if ('link' in entry) return linkReply(entry, linkInHeader);
  const headers = entryHeaders(entry);
  return 'unchanged' in entry ? { status: 304, headers } : { status: 200, headers, bytes: entry.value };
}

/** A miss is a 404 as any other, with headers that say who loads. */
export function toLeaseReply({ entry, lease }: Linked<LeasedRead>, requestId: string, choice: LinkChoice): Result {
  const absent = entry?.meta.negative === true;
  const reply = entry === null || absent ? problemOf(notFound(), requestId) : toGetReply(entry, choice);
  const says = absent ? { 'riptide-known-absent': 'true' } : leaseHeaders(lease);
  return { ...reply, headers: { ...reply.headers, ...says } };
}

function leaseHeaders(lease: Lease): Readonly<Record<string, string>> {
  switch (lease.state) {
    case 'granted':
      return { 'riptide-lease': lease.token };
    case 'held':
      return {
        'riptide-lease-held': 'true',
        'retry-after': String(Math.max(1, Math.ceil(lease.lastsMs / 1000))),
      };
    case 'none':
      return {};
  }
}

const notFound = () => new NotFoundError('entry_not_found', 'No such entry');
