/** Rows of the tenants suite: what administration asks of Redis, by round trips. */
import type { TenantQuery } from '../../../lib/tenants/tenant-list.ts';
import { tenantRequest } from '../create-tenant.ts';
import { type Fleet, forEach, RARE_ORGANIZATION } from '../fleet.ts';
import { atMost, type Row, rowOf } from '../row.ts';
import { percentile } from '../statistics.ts';

const PAGE = 100;
const MOST_TRIPS = 3;
/** One tenant of so many is suspended before lists are filtered. */
const SUSPENDED = 50;

/** One page after the other, to the end. */
interface Walk {
  /** Of each page: its tenants, round trips, and ms. */
  readonly pages: readonly { readonly size: number; readonly trips: number; readonly ms: number }[];
  readonly found: number;
}

/** The list as it is, whole. @throws {Error} it does not hold every tenant. */
export async function plainListRow(fleet: Fleet): Promise<Row> {
  const size = fleet.tenants.length;
  const walk = await walkPages(fleet, {});
  if (walk.found !== size) throw new Error(`The list has ${walk.found} of ${size} tenants`);
  const facts = { id: `tenants-list-${size}`, what: `List of ${size.toLocaleString('en')} tenants, a page of ${PAGE}` };
  return tripsRow(facts, [walk]);
}

/** The list as it is, then filtered, then searched to its end. */
export async function listRows(fleet: Fleet): Promise<readonly Row[]> {
  const plain = await plainListRow(fleet);
  const paused = fleet.tenants.filter((_, index) => index % SUSPENDED === 0);
  await forEach(paused, ({ id }) => fleet.app.tenantAdmin.suspend(id, {}));
  const filters = [{ plan: 'starter' }, { status: 'suspended' }, { text: RARE_ORGANIZATION }] as const;
  const walks = [];
  for (const filter of filters) walks.push(await walkPages(fleet, filter));
  const found = walks.map((walk) => walk.found).join(', ');
  const search = await walkPages(fleet, { text: `owner-${fleet.tenants.length - 1}@` });
  if (search.found !== 1) throw new Error(`The search found ${search.found} tenants, not one`);
  return [
    plain,
    tripsRow({ id: 'tenants-list-filtered', what: 'the same by plan, by status, by text' }, walks, `; ${found} found`),
    rowOf(
      {
        id: 'tenants-search',
        layer: 'lib',
        what: 'the same, searched for one tenant to the end: pages',
        unit: 'calls',
        detail: `at most 2,000 tenants a page; ${slowest(search.pages)} ms the slowest`,
      },
      [search.pages.length],
    ),
  ];
}

/** A tenant, and a key of it. */
export async function creationRows({ counted: { app, trips }, tenants }: Fleet): Promise<readonly Row[]> {
  const [{ id }] = tenants as readonly [Fleet['tenants'][number]];
  const tenant = () => app.tenants.create(tenantRequest());
  const key = () => app.apiKeys.create(id, { scopes: ['*'], expires_at: null });
  const row = async (facts: Pick<Row, 'id' | 'what' | 'reach' | 'detail'>, work: () => Promise<unknown>) =>
    rowOf({ ...facts, layer: 'lib', unit: 'calls' }, [(await trips.count(work)).trips.redis]);
  return [
    await row(
      {
        id: 'tenant-create-trips',
        what: 'Tenant create: round trips',
        reach: atMost(MOST_TRIPS),
        detail: 'unencrypted',
      },
      tenant,
    ),
    await row({ id: 'key-create-trips', what: 'API key create: round trips', detail: 'with its audit entry' }, key),
  ];
}

async function walkPages({ counted: { app, trips } }: Fleet, filter: Omit<TenantQuery, 'limit'>): Promise<Walk> {
  // The first page of an instance loads what lists tenants, and Redis may not know the script.
  await app.tenantList.list({ ...filter, limit: PAGE });
  const pages: Walk['pages'][number][] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const startedAt = performance.now();
    const page = await trips.count(() => app.tenantList.list({ ...filter, limit: PAGE, cursor: cursor ?? undefined }));
    const { items, next_cursor } = page.result;
    pages.push({ size: items.length, trips: page.trips.redis, ms: performance.now() - startedAt });
    cursor = next_cursor;
  }
  return { pages, found: pages.reduce((sum, { size }) => sum + size, 0) };
}

/** The most trips a page took. */
function tripsRow(facts: Pick<Row, 'id' | 'what'>, walks: readonly Walk[], more = ''): Row {
  const pages = walks.flatMap((walk) => walk.pages);
  const p50 = percentile(
    pages.map(({ ms }) => ms),
    0.5,
  );
  return rowOf(
    {
      ...facts,
      layer: 'lib',
      what: `${facts.what}: round trips`,
      reach: atMost(MOST_TRIPS),
      unit: 'calls',
      detail: `the most of ${pages.length} pages; ${p50.toFixed(2)} ms a page, p50${more}`,
    },
    [Math.max(...pages.map(({ trips }) => trips))],
  );
}

const slowest = (pages: Walk['pages']) => Math.max(...pages.map(({ ms }) => ms)).toFixed(1);
