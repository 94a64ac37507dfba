/** One tenant's documents in the cache: stored, read back, removed; every answer compared with what it must be. */
import { demand, demandRefusal, demandStatus } from './claims.ts';
import { type DocumentFile, loadDocument } from './documents.ts';
import { type Bounds, eachConcurrently } from './each-concurrently.ts';
import type { Stopwatch } from './stopwatch.ts';
import type { DemoTenant } from './tenant.ts';

/** What is left behind by accident goes by itself. */
const TTL_SECONDS = 3_600;

export interface ShelfTotals {
  readonly documents: number;
  readonly bytesIn: number;
  /** As the service says they stand in Redis. */
  readonly bytesStored: number;
  /** Reads that found a value, and reads that found none. */
  readonly hits: number;
  readonly misses: number;
}

export interface Shelf {
  readonly tenant: DemoTenant;
  readonly namespace: string;
  totals(): ShelfTotals;
  /** Looks for each document, finds none, stores it. @throws {BrokenClaimError} */
  storeAll(documents: readonly DocumentFile[], bounds: Bounds): Promise<void>;
  /** Reads each back byte for byte, asks again with its ETag, asks for its headers. @throws {BrokenClaimError} */
  readAll(documents: readonly DocumentFile[], bounds: Bounds): Promise<void>;
  /** Reads a few again, one call at a time. @throws {BrokenClaimError} */
  readSingly(documents: readonly DocumentFile[], signal: AbortSignal): Promise<void>;
  /** Removes each and finds it gone. @throws {BrokenClaimError} */
  removeAll(documents: readonly DocumentFile[], bounds: Bounds): Promise<void>;
  /** Removes what there is of them, without a word about the answers. */
  discard(documents: readonly DocumentFile[], bounds: Bounds): Promise<void>;
}

export interface ShelfDeps {
  readonly tenant: DemoTenant;
  readonly stopwatch: Stopwatch;
  /** Called once for each document of each pass. */
  readonly onDocument: (tenant: string, pass: 'storing' | 'reading' | 'removing') => void;
}

export function createShelf({ tenant, stopwatch, onDocument }: ShelfDeps): Shelf {
  const namespace = `demo-${tenant.name.toLowerCase()}`;
  const totals = { documents: 0, bytesIn: 0, bytesStored: 0, hits: 0, misses: 0 };
  const { client } = tenant;
  const of = ({ key }: DocumentFile) => ({ params: { namespace, key } });
  const say = ({ key }: DocumentFile) => `Tenant ${tenant.name}, ${key}`;

  const findNothing = async (file: DocumentFile) => {
    const reply = await stopwatch.time('get (miss)', () => client.getEntry(of(file)));
    demandRefusal(reply, { status: 404, code: 'entry_not_found' }, `${say(file)}, read while it is not there`);
    totals.misses++;
  };

  const store = async (file: DocumentFile) => {
    const { bytes, contentType } = await loadDocument(file);
    await findNothing(file);
    const headers = { 'content-type': contentType, 'riptide-source': 'demo' };
    const put = { ...of(file), query: { ttl_seconds: TTL_SECONDS }, headers, body: bytes };
    const reply = await stopwatch.time('put', () => client.putEntry(put));
    demandStatus(reply, 201, `${say(file)}, stored`);
    demand(reply.data.size_bytes === bytes.length, `${say(file)}: ${bytes.length} bytes sent, other size answered`);
    totals.documents++;
    totals.bytesIn += bytes.length;
    totals.bytesStored += reply.data.stored_bytes;
  };

  const readBack = async (file: DocumentFile, operation: string) => {
    const { bytes, contentType } = await loadDocument(file);
    const reply = await stopwatch.time(operation, () => client.getEntry(of(file)));
    demandStatus(reply, 200, `${say(file)}, read back`);
    demand(bytes.equals(reply.bytes), `${say(file)}: what came back differs from the ${bytes.length} bytes stored`);
    demand(reply.contentType === contentType, `${say(file)}: came back as ${reply.contentType}, not as ${contentType}`);
    totals.hits++;
    return reply.headers.get('etag') ?? '';
  };

  const revalidate = async (file: DocumentFile, etag: string) => {
    const conditional = { ...of(file), headers: { 'if-none-match': etag } };
    const same = await stopwatch.time('get (if-none-match)', () => client.getEntry(conditional));
    demandStatus(same, 304, `${say(file)}, read with its own ETag`);
    const head = await stopwatch.time('head', () => client.headEntry(of(file)));
    demandStatus(head, 200, `${say(file)}, its headers`);
    demand(head.headers.get('etag') === etag, `${say(file)}: HEAD and GET tell different ETags`);
    totals.hits += 2;
  };

  const remove = async (file: DocumentFile) => {
    const reply = await stopwatch.time('delete', () => client.deleteEntry(of(file)));
    demandStatus(reply, 204, `${say(file)}, removed`);
    await findNothing(file);
  };

  return {
    tenant,
    namespace,
    totals: () => ({ ...totals }),
    storeAll: (documents, bounds) =>
      eachConcurrently(documents, bounds, async (file) => {
        await store(file);
        onDocument(tenant.name, 'storing');
      }),
    readAll: (documents, bounds) =>
      eachConcurrently(documents, bounds, async (file) => {
        await revalidate(file, await readBack(file, 'get'));
        onDocument(tenant.name, 'reading');
      }),
    readSingly: (documents, signal) =>
      eachConcurrently(documents, { concurrency: 1, signal }, async (file) => {
        await readBack(file, 'get (one at a time)');
      }),
    removeAll: (documents, bounds) =>
      eachConcurrently(documents, bounds, async (file) => {
        await remove(file);
        onDocument(tenant.name, 'removing');
      }),
    discard: (documents, bounds) =>
      eachConcurrently(documents, bounds, async (file) => {
        await client.deleteEntry(of(file));
      }),
  };
}
