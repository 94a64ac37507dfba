/** Calls of Redis and S3 that go wrong at random, once in an operation; and operations that end in their middle, as if killed. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { BlobUnavailableError, OutcomeUnknownError, RedisUnavailableError } from '../../lib/errors.ts';
import type { FailpointCall, FailpointHook } from '../../lib/redis/failpoints.ts';

/** Of who is no more: nothing it calls from then on is done. */
export class KilledError extends Error {}

interface Operation {
  readonly fault: 'refused' | 'lost' | 'killed' | null;
  /** Before or after so many calls. */
  left: number;
  met: boolean;
}

/** Reads: their lost replies change nothing, and are told so. */
const READS = new Set([
  'GET',
  'HGET',
  'HMGET',
  'ZRANGE',
  'ZCARD',
  'ZSCORE',
  'TIME',
  'read-invalidations',
  'get-cache-entry',
]);
for (const name of ['get-cache-entries', 'list-cache-entries', 'peek-cache-entries', 'read-jobs']) READS.add(name);

export type RandomFaults = ReturnType<typeof createRandomFaults>;

/** @param share of operations that meet a fault, if they make calls enough; in percent. */
export function createRandomFaults(share: number) {
  const operations = new AsyncLocalStorage<Operation>();

  const hook: FailpointHook = (call) => {
    const operation = operations.getStore();
    if (operation === undefined || operation.fault === null || call.port === 'keys') return;
    if (operation.met) {
      if (operation.fault === 'killed') throw new KilledError('it ended before');
      return;
    }
    if (operation.fault !== 'killed' && call.phase !== (operation.fault === 'refused' ? 'before' : 'after')) return;
    if (operation.left-- > 0) return;
    operation.met = true;
    throw failure(operation.fault, call);
  };

  return {
    hook,
    /** @returns what came of it, and whether something went wrong on the way. */
    async run<T>(random: (below: number) => number, work: () => Promise<T>) {
      const fault = random(100) < share ? ((['refused', 'lost', 'killed'] as const)[random(3)] ?? null) : null;
      const operation: Operation = { fault, left: random(1 + random(8)), met: false };
      try {
        return { value: await operations.run(operation, work), faulted: operation.met };
      } catch (error) {
        return { error, faulted: operation.met };
      }
    },
  };
}

function failure(fault: 'refused' | 'lost' | 'killed', { port, name }: FailpointCall): Error {
  if (fault === 'killed') return new KilledError('killed');
  if (port === 'blobs') return new BlobUnavailableError('down');
  return fault === 'refused' || READS.has(name) ? new RedisUnavailableError('down') : new OutcomeUnknownError('lost');
}
