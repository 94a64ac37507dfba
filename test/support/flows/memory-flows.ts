/** Flows that make room, in a tenant's memory and in that of all, and the calls each makes. */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { App } from '../../../lib/app.ts';
import type { StoredEntry } from '../../../lib/cache/entry.ts';
import { DeadlineError } from '../../../lib/errors.ts';
import type { Caller } from '../../../lib/gate/caller.ts';
import type { TenantId } from '../../../lib/ids.ts';
import { newTenant } from '../app.ts';
import { auditTenant } from '../audit-tenant.ts';
import { gateState } from '../gate-state.ts';
import { setAccess } from '../set-access.ts';
import type { Flow } from './flow.ts';

const LIMIT = 20_000;
const named = (key: string) => ({ namespace: 'ns', key });
const entryOf = (value: Buffer) => ({ value, meta: { content_type: 'application/octet-stream' }, ttlMs: 3_600_000 });
const quotas = (memory_bytes: number) => ({ operations_per_minute: 1_000_000, memory_bytes });

/** Four values that take 85 % of the tenant's memory, `a` the coldest. */
async function newFullTenant(direct: App) {
  const { tenant, caller } = await newTenant(direct, { quotas: quotas(LIMIT) });
  const values = new Map(['a', 'b', 'c', 'd'].map((key) => [key, randomBytes(2_850)]));
  for (const [key, value] of values) await direct.cache.set(caller, named(key), entryOf(value));
  await setAccess(direct, tenant.id, named('a'), -2);
  return { tenant, caller, values };
}

const memoryOf = async (direct: App, id: TenantId) => Number((await gateState(direct, id).meter()).memory);

/** A run that is out of time ends early and well: here, so that it is run again. */
async function runBudget(app: App, signal: AbortSignal): Promise<void> {
  await app.memoryBudget.run(signal);
  if (signal.aborted) throw new DeadlineError('out of time');
}

async function expectAll(direct: App, caller: Caller, values: ReadonlyMap<string, Buffer>): Promise<void> {
  for (const [key, value] of values) {
    const entry = (await direct.cache.get(caller, named(key))) as StoredEntry | null;
    expect(entry?.value.equals(value)).toBe(true);
  }
}

const evict: Flow = {
  name: 'set entry where memory is full',
  calls: [
    'set-cache-entry',
    'set-cache-entry',
    'ZRANGE',
    'read-invalidations',
    'ZRANGE',
    'remove-cache-entries',
    'set-cache-entry',
  ],
  async prepare(app, direct) {
    const { tenant, caller } = await newFullTenant(direct);
    const value = randomBytes(2_850);
    return {
      run: (signal) => app.cache.set({ ...caller, signal }, named('new'), entryOf(value)),
      async verify() {
        expect(await direct.cache.head(caller, named('a'))).toBe(null);
        await expectAll(direct, caller, new Map([['new', value]]));
        expect(await auditTenant(direct, tenant.id)).toBe(4);
        expect(await memoryOf(direct, tenant.id)).toBeLessThanOrEqual(LIMIT);
      },
    };
  },
};

const spill: Flow = {
  name: 'move cold values to S3',
  calls: ['ZRANGE', 'HMGET', 'ZRANGE', 'GET', 'register-object', 'blobs put', 'move-cache-entry'],
  async prepare(app, direct) {
    const { tenant, caller, values } = await newFullTenant(direct);
    return {
      run: (signal) => runBudget(app, signal),
      async verify() {
        expect(await memoryOf(direct, tenant.id)).toBeLessThanOrEqual(LIMIT * 0.7);
        expect((await gateState(direct, tenant.id).meter()).storage).toBe(2_850n);
        expect(await auditTenant(direct, tenant.id)).toBe(4);
        await expectAll(direct, caller, values);
      },
    };
  },
};

const promote: Flow = {
  name: 'get entry that was moved to S3',
  calls: ['get-cache-entry', 'get-cache-entry', 'blobs get', 'move-cache-entry'],
  async prepare(app, direct) {
    const { tenant, caller, values } = await newFullTenant(direct);
    await direct.memoryBudget.run();
    await gateState(direct, tenant.id).setLimits({
      quotas: { ...quotas(LIMIT * 2), storage_bytes: 1e9, data_transfer_bytes: 1e9 },
    });
    return {
      run: (signal) => app.cache.get({ ...caller, signal }, named('a')),
      async verify(result) {
        expect((result as StoredEntry).value.equals(values.get('a') as Buffer)).toBe(true);
        await expectAll(direct, caller, values);
        expect((await gateState(direct, tenant.id).meter()).storage).toBe(0n);
        expect(await auditTenant(direct, tenant.id)).toBe(4);
      },
    };
  },
};

const share: Flow = {
  name: 'divide the memory of all tenants',
  calls: ['ZRANGE', 'HMGET', 'set-memory-share'],
  settings: async () => ({
    PERSISTENCE_CACHE_MAX_MEMORY_BYTES: '3000',
    PERSISTENCE_CACHE_MAX_ENTRY_SIZE_BYTES: '3000',
  }),
  async prepare(app, direct) {
    const { tenant, caller } = await newTenant(direct, { cache: { eviction_policy: 'none' } });
    await direct.cache.set(caller, named('a'), entryOf(randomBytes(2_900)));
    return {
      run: (signal) => runBudget(app, signal),
      async verify() {
        expect(await gateState(direct, tenant.id).read('v')).toMatch(/^v1,0,0,0,0,[1-9]\d*$/);
        expect(await auditTenant(direct, tenant.id)).toBe(1);
      },
    };
  },
};

export const memoryFlows: readonly Flow[] = [evict, spill, promote, share];
