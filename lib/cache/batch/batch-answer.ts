/** Runs a batch that came over HTTP, and answers it within what one reply may have. */
import type { AppError } from '../../errors.ts';
import type { Caller } from '../../gate/caller.ts';
import type { LazyCache } from '../lazy-cache.ts';
import type { BatchEntriesRequest, BatchItem, SetItem } from './batch-contract.ts';
import {
  findUntruth,
  fitReply,
  MAX_VALUE_BYTES,
  toBatchEntry,
  toReadItem,
  toRemoveItem,
  toWriteItem,
} from './batch-request.ts';
import { checkBatch } from './batch-rules.ts';
import type { WriteItem } from './batch-writer.ts';

export interface Batch {
  readonly caller: Caller;
  readonly namespace: string;
  readonly body: BatchEntriesRequest;
  /** The same again is a replay. */
  readonly operation: string;
}

type Calls = Pick<LazyCache, 'getMany' | 'setMany' | 'deleteMany'>;

/** @throws as the calls of the cache. */
export async function runBatch(cache: Calls, { caller, namespace, body, operation }: Batch): Promise<BatchItem[]> {
  if (body.set !== undefined) return fitReply(await store(cache, { caller, namespace, items: body.set, operation }));
  if (body.delete !== undefined) {
    return fitReply((await cache.deleteMany(caller, namespace, body.delete, { operation })).map(toRemoveItem));
  }
  const options = { stale: body.stale ?? false, metaOnly: body.metadata_only ?? false, maxBytes: MAX_VALUE_BYTES };
  return fitReply((await cache.getMany(caller, namespace, body.get ?? [], options)).map(toReadItem));
}

interface Storing extends Pick<Batch, 'caller' | 'namespace' | 'operation'> {
  readonly items: readonly SetItem[];
}

/** What says it is JSON and is not is not stored, as of a PUT; the others are. */
async function store(cache: Calls, { caller, namespace, items, operation }: Storing): Promise<BatchItem[]> {
  const entries = items.map(toBatchEntry);
  checkBatch(
    namespace,
    entries.map(({ key }) => key),
  );
  const untrue = new Map<string, WriteItem & { readonly error: AppError }>();
  for (const entry of entries) {
    const error = findUntruth(entry);
    if (error !== null) untrue.set(entry.key, { key: entry.key, status: 'invalid', error });
  }
  const storable = entries.filter(({ key }) => !untrue.has(key));
  const [first] = untrue.values();
  if (first !== undefined && storable.length === 0) throw first.error;
  const done = await cache.setMany(caller, namespace, storable, { operation });
  const byKey = new Map(done.map((item) => [item.key, item]));
  return entries.map(({ key }) => toWriteItem((untrue.get(key) ?? byKey.get(key)) as WriteItem));
}
