/** A small memory, and more than fits: the coldest entries make room, or a write is refused, as the tenant chose. */
import { demand, demandRefusal, demandStatus } from '../../claims.ts';
import { type DocumentFile, loadDocument } from '../../documents.ts';
import { count } from '../../report-table.ts';
import type { DemoTenant } from '../../tenant.ts';
import { type Act, AMPLE_OPERATIONS, type Stage } from '../stage.ts';

const MEMORY_BYTES = 100_000;
const TIMES = 3;
const MAX_VALUE_BYTES = 4_000;
const MAX_WRITES = 1_000;
const namespace = 'small';

export const proveEviction: Act = {
  title: 'Cache: eviction',
  async run(stage) {
    const quotas = { ...AMPLE_OPERATIONS, memory_bytes: MEMORY_BYTES };
    const tenant = await stage.cast.create({ name: 'attic', plan: 'free', quotas, cache: { eviction_policy: 'lru' } });
    const written = await overfill(stage, tenant);
    const kept = await countEntries(tenant);
    demand(kept < written, `${written} entries of ${TIMES} times the memory were stored, and ${kept} are kept`);
    const last = await tenant.client.headEntry({ params: { namespace, key: keyOf(written - 1) } });
    demandStatus(last, 200, 'Look for what was written last');
    const first = await tenant.client.headEntry({ params: { namespace, key: keyOf(0) } });
    demand(!first.ok && first.status === 404, `What was written first is answered by ${first.status}, not 404`);
    await proveNone(stage, tenant);
    return {
      shown: [
        `${count(written)} documents into a memory of ${count(MEMORY_BYTES)} bytes, ${TIMES} times what fits: all are taken, the oldest make room, ${kept} are kept, never a byte above; with "eviction_policy":"none" the next gets 507`,
      ],
    };
  },
};

/** Stores documents until they would fill the memory several times. @returns how many. @throws {BrokenClaimError} */
async function overfill({ documents, signal }: Stage, { client }: DemoTenant): Promise<number> {
  let charged = 0;
  let n = 0;
  for (; charged < TIMES * MEMORY_BYTES && n < MAX_WRITES; n++) {
    signal.throwIfAborted();
    const body = await startOf(documents[n % documents.length]);
    const params = { namespace, key: keyOf(n) };
    demandStatus(await client.putEntry({ params, query: { ttl_seconds: 3_600 }, body }), 201, `Write ${n + 1}`);
    const head = await client.headEntry({ params });
    demandStatus(head, 200, `Look for what write ${n + 1} stored`);
    charged += Number(head.headers.get('riptide-memory-bytes'));
    const quotas = await client.getQuotas();
    demandStatus(quotas, 200, 'The quotas while memory is full');
    const { used } = quotas.data.quotas.memory_bytes;
    demand(used <= MEMORY_BYTES, `${used} bytes are used of ${MEMORY_BYTES}`);
  }
  return n;
}

/** @throws {BrokenClaimError} the other policy makes room, too. */
async function proveNone({ cast, documents }: Stage, { id, client }: DemoTenant): Promise<void> {
  const changed = await cast.admin.updateTenant({ params: { id }, body: { cache: { eviction_policy: 'none' } } });
  demandStatus(changed, 200, 'Choose the other policy');
  let reply: Awaited<ReturnType<typeof client.putEntry>> | undefined;
  for (let n = 0; reply?.ok !== false && n < MAX_WRITES; n++) {
    const body = await startOf(documents[n % documents.length]);
    reply = await client.putEntry({ params: { namespace, key: `more-${n}` }, query: { ttl_seconds: 3_600 }, body });
  }
  if (reply !== undefined) demandRefusal(reply, { status: 507, code: 'memory_full' }, 'A write with policy none');
}

async function countEntries({ client }: DemoTenant): Promise<number> {
  const reply = await client.whoAmI();
  demandStatus(reply, 200, 'How many entries are kept');
  return reply.data.used.entries;
}

const keyOf = (n: number) => `document-${n}`;

async function startOf(file: DocumentFile | undefined): Promise<Buffer> {
  const bytes = file === undefined ? Buffer.from('a document') : (await loadDocument(file)).bytes;
  return bytes.subarray(0, MAX_VALUE_BYTES);
}
