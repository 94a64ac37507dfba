/** Many tenants under a key prefix of their own, so that nothing else of the bench is among them. */
import type { Redis } from 'ioredis';
import type { App } from '../../lib/app.ts';
import { parseApiKey } from '../../lib/gate/caller.ts';
import type { EntryName } from '../../lib/keys.ts';
import { PLANS } from '../../lib/tenants/contract.ts';
import { type BenchTenant, createTenant, tenantRequest } from './create-tenant.ts';
import type { Bench } from './setup.ts';
import { startApp } from './start-app.ts';
import { createTripCounter, type TripCounter } from './trip-counter.ts';
import { jsonOfBytes } from './values.ts';

const ENTRY: EntryName = { namespace: 'products', key: 'catalogue/1024' };
const VALUE = jsonOfBytes(1024);
const CREATORS = 64;
/** One tenant of so many belongs to {@link RARE_ORGANIZATION}. */
const ORGANIZATIONS = 5;
export const RARE_ORGANIZATION = 'Harbor Works';

export interface Fleet {
  readonly app: App;
  /** Another instance of the service, which counts its trips. */
  readonly counted: { readonly app: App; readonly trips: TripCounter };
  /** Each has a key and a cache entry of 1 KB. */
  readonly tenants: readonly BenchTenant[];
  /** Creates tenants until there are so many. */
  growTo(size: number): Promise<void>;
  /** A read of the entry of a tenant by its key. @throws {Error} there was none. */
  read(tenant: BenchTenant): Promise<void>;
}

/** No tenants yet. With `parts` it is gone, and its keys with it. @param prefix letters, digits and `-`. */
export async function startFleet({ env, raw }: Bench, prefix: string, parts: AsyncDisposableStack): Promise<Fleet> {
  const own = { ...env.tcp, PERSISTENCE_CACHE_KEY_PREFIX: prefix };
  parts.defer(() => removeKeys(raw.tcp, prefix));
  const app = await startApp(own, { parts });
  const trips = createTripCounter();
  const counted = { app: await startApp(own, { parts, failpoint: trips.failpoint }), trips };
  const tenants: BenchTenant[] = [];
  const create = async (number: number) => {
    const tenant = await createTenant(app, requestOf(number));
    const entry = { value: VALUE, meta: { content_type: 'application/json' }, ttlMs: 86_400_000 };
    await app.cache.set(parseApiKey(tenant.apiKey), ENTRY, entry);
    tenants.push(tenant);
  };
  return {
    app,
    counted,
    tenants,
    async growTo(size) {
      const missing = Array.from({ length: size - tenants.length }, (_, index) => tenants.length + index);
      await forEach(missing, create);
    },
    async read({ apiKey }) {
      if ((await app.cache.get(parseApiKey(apiKey), ENTRY)) === null) throw new Error('A tenant lost its entry');
    },
  };
}

const requestOf = (number: number) => {
  const owner = { id: `owner-${number}`, name: `Owner ${number}`, email: `owner-${number}@riptide.test` };
  const organization = number % ORGANIZATIONS === 0 ? RARE_ORGANIZATION : 'Delta Mills';
  const plan = PLANS[number % PLANS.length];
  return tenantRequest({ name: `Tenant ${number}`, plan, owner: { ...owner, organization } });
};

/** 64 at a time. */
export async function forEach<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const left = items.values();
  const worker = async () => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: CREATORS }, worker));
}

async function removeKeys(redis: Redis, prefix: string): Promise<void> {
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', `${prefix}:*`, 'COUNT', 1000);
    if (keys.length > 0) await redis.unlink(...keys);
    cursor = next;
  } while (cursor !== '0');
}
