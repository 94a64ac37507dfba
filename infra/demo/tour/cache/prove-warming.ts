/** Loaded ahead by an administrator, read in batches, invalidated by the tag of a package, counted beforehand. */
import { demand, demandStatus } from '../../claims.ts';
import { count } from '../../report-table.ts';
import type { DemoTenant } from '../../tenant.ts';
import { type Act, AMPLE_OPERATIONS, type Stage } from '../stage.ts';
import { commonestTag, type Item, inChunks, toItems } from './packages.ts';

const NAMESPACE = 'packages';
/** The first in the order of their keys: so packages are whole. */
const MAX_DOCUMENTS = 300;
const WARM_CHUNK = 1_000;
/** What one round trip to Redis reads. */
const READ_CHUNK = 100;

export const proveWarming: Act = {
  title: 'Cache: warming, batches, tags',
  async run(stage) {
    const { cast, documents } = stage;
    const tenant = await cast.create({ name: 'registry', plan: 'professional', quotas: AMPLE_OPERATIONS });
    const items = await toItems(documents.slice(0, MAX_DOCUMENTS));
    const warmed = await warm(stage, tenant, items);
    const calls = await expectHits(tenant, items, () => true);
    const tag = commonestTag(items);
    const invalidated = await invalidate(tenant, tag);
    const mustBe = items.filter((item) => item.tags.includes(tag)).length;
    demand(invalidated === mustBe, `${invalidated} entries were invalidated by tag, and ${mustBe} had it`);
    await expectHits(tenant, items, (item) => !item.tags.includes(tag));
    return {
      shown: [
        `${count(items.length)} documents loaded ahead in ${warmed} (dry run first), read back byte for byte in ${inCalls(calls)}`,
        `Tag "${tag}": the dry run counts ${mustBe} of ${count(items.length)} entries, invalidating takes just those, and the others are hits`,
      ],
    };
  },
};

/** @returns how many calls that took. @throws {BrokenClaimError} */
async function warm({ cast, signal }: Stage, tenant: DemoTenant, items: readonly Item[]): Promise<string> {
  let calls = 0;
  for (const chunk of inChunks(items, WARM_CHUNK)) {
    signal.throwIfAborted();
    const entries = chunk.map((item) => ({ namespace: NAMESPACE, ttl_seconds: 3_600, ...item }));
    const body = { tenant_id: tenant.id, entries };
    for (const dry_run of ['true', 'false'] as const) {
      const reply = await cast.admin.warmCache({ query: { dry_run }, body });
      demandStatus(reply, 200, 'Warm a cache by entries');
      const { stored = 0 } = reply.data.counts;
      demand(stored === chunk.length, `Of ${chunk.length} entries ${stored} were loaded (dry run: ${dry_run})`);
    }
    calls++;
  }
  return inCalls(calls);
}

/** Reads all of them in batches; those that `isThere` says are hits, with their bytes, the others misses. */
async function expectHits(
  { client }: DemoTenant,
  items: readonly Item[],
  isThere: (item: Item) => boolean,
): Promise<number> {
  let calls = 0;
  for (const chunk of inChunks(items, READ_CHUNK)) {
    const reply = await client.batchEntries({
      params: { namespace: NAMESPACE },
      body: { get: chunk.map(({ key }) => key) },
    });
    demandStatus(reply, 200, `Read a batch of ${chunk.length}`);
    calls++;
    for (const [index, item] of chunk.entries()) {
      const { status, value, value_base64 } = reply.data.items[index] ?? { status: 'nothing' };
      const mustBe = isThere(item) ? 'hit' : 'miss';
      demand(status === mustBe, `${item.key} in a batch is a ${status}, and must be a ${mustBe}`);
      const came = value_base64 ?? (value === undefined ? undefined : Buffer.from(value).toString('base64'));
      demand(!isThere(item) || came === item.value_base64, `${item.key}: what came back differs from what was warmed`);
    }
  }
  return calls;
}

/** @returns how many were invalidated. @throws {BrokenClaimError} the dry run counts another number, or changes something. */
async function invalidate({ client }: DemoTenant, tag: string): Promise<number> {
  const body = { tags: [tag] };
  const counts: unknown[] = [];
  for (const dry_run of ['true', 'true', 'false'] as const) {
    const reply = await client.invalidateOwnCache({ query: { dry_run }, body });
    demandStatus(reply, 200, `Invalidate by tag (dry run: ${dry_run})`);
    counts.push(dry_run === 'true' ? reply.data.would_invalidate : reply.data.invalidated);
  }
  const [first, again, gone] = counts;
  demand(first === gone && again === gone, `Dry runs counted ${first} and ${again}, and ${gone} were invalidated`);
  return Number(gone);
}

const inCalls = (calls: number) => (calls === 1 ? 'one call' : `${calls} calls`);
