/** Many callers miss at once and one loads: by a lease, which is a fencing token, too. */
import { setTimeout as delay } from 'node:timers/promises';
import { demand, demandRefusal, demandStatus } from '../../claims.ts';
import { loadDocument } from '../../documents.ts';
import type { DemoTenant } from '../../tenant.ts';
import { type Act, AMPLE_OPERATIONS, type Stage } from '../stage.ts';
import { createSlowSource } from './slow-source.ts';

const CALLERS = 50;
const LEASE_MS = 5_000;
const POLL_MS = 25;
const PARAMS = { namespace: 'pages', key: 'front' };
const TTL = { ttl_seconds: 3_600 };

type Source = ReturnType<typeof createSlowSource>;

export const proveStampede: Act = {
  title: 'Cache: a stampede',
  async run(stage) {
    const tenant = await stage.cast.create({ name: 'newspaper', plan: 'professional', quotas: AMPLE_OPERATIONS });
    const value = await someDocument(stage);
    const source = createSlowSource(value);
    const values = await Promise.all(Array.from({ length: CALLERS }, () => readOrLoad(stage, tenant, source)));
    demand(source.loads() === 1, `${CALLERS} callers missed at once, and ${source.loads()} of them loaded`);
    for (const got of values) demand(value.equals(got), 'A caller of the stampede was given another value');
    await proveFencing(tenant);
    return {
      shown: [
        `A stampede: ${CALLERS} callers miss the same entry at once, one is given the lease and loads, all get its value`,
        'A load that was overtaken by an invalidation is not stored: 412 lease_lost',
      ],
    };
  },
};

/** As any caller would: read, asking for the lease; who has it loads and stores; the rest ask again. */
async function readOrLoad({ signal }: Stage, { client }: DemoTenant, source: Source): Promise<Uint8Array> {
  const endMs = performance.now() + 2 * LEASE_MS;
  while (performance.now() < endMs) {
    const read = await client.getEntry({ params: PARAMS, query: { lease_ms: LEASE_MS } });
    if (read.ok && read.status === 200) return read.bytes;
    demandRefusal(read, { status: 404, code: 'entry_not_found' }, 'A read of what is not there yet');
    const lease = read.headers.get('riptide-lease');
    if (lease !== null) {
      const value = await source.load(signal);
      const stored = await client.putEntry({
        params: PARAMS,
        query: TTL,
        headers: { 'riptide-lease': lease },
        body: value,
      });
      demandStatus(stored, 201, 'Store what was loaded under the lease');
      return value;
    }
    demand(read.headers.get('riptide-lease-held') === 'true', 'A miss gives the lease, or says that somebody has it');
    await delay(POLL_MS, undefined, { signal });
  }
  demand(false, `A caller waited ${2 * LEASE_MS} ms for somebody else's load`);
}

/** @throws {BrokenClaimError} a load was stored over an invalidation that came after it had begun. */
async function proveFencing({ client }: DemoTenant): Promise<void> {
  const params = { ...PARAMS, key: 'overtaken' };
  const read = await client.getEntry({ params, query: { lease_ms: LEASE_MS } });
  const lease = read.headers.get('riptide-lease') ?? '';
  demandRefusal(read, { status: 404, code: 'entry_not_found' }, 'The first read of an entry');
  demandStatus(
    await client.invalidateOwnCache({ body: { namespace: params.namespace } }),
    200,
    'Invalidate a namespace',
  );
  const late = await client.putEntry({ params, query: TTL, headers: { 'riptide-lease': lease }, body: 'too late' });
  demandRefusal(late, { status: 412, code: 'lease_lost' }, 'A load that began before its namespace was invalidated');
}

async function someDocument({ documents: [first] }: Stage): Promise<Buffer> {
  return first === undefined ? Buffer.from('a front page') : (await loadDocument(first)).bytes;
}
