/** Flows of invalidation and of the reclaim of what it hid, and the calls each makes. */
import { expect } from 'vitest';
import type { App } from '../../../lib/app.ts';
import { createInvalidateRunner, INVALIDATE_CACHE } from '../../../lib/cache/invalidation/invalidate-job.ts';
import { createReclaim } from '../../../lib/cache/invalidation/reclaim.ts';
import type { Selector } from '../../../lib/cache/invalidation/selector.ts';
import type { Caller } from '../../../lib/gate/caller.ts';
import { newUlid } from '../../../lib/ids.ts';
import type { Job } from '../../../lib/jobs/job.ts';
import { newTenant } from '../app.ts';
import { auditTenant } from '../audit-tenant.ts';
import { gateState } from '../gate-state.ts';
import { auditedActions, keysOf } from '../tenant-state.ts';
import type { Flow } from './flow.ts';

const meta = { content_type: 'text/plain', tags: ['red'] };
const value = Buffer.from('a value');

/** `p0` to `p2`, tagged, and `other`. */
async function fill(direct: App, caller: Caller): Promise<void> {
  for (const key of ['p0', 'p1', 'p2']) {
    await direct.cache.set(caller, { namespace: 'ns', key }, { value, meta, ttlMs: null });
  }
  await direct.cache.set(
    caller,
    { namespace: 'other', key: 'other' },
    { value, meta: { content_type: 'a/b' }, ttlMs: null },
  );
}

/** Fails unless only `other` is left to see, and after the cleaning also to be stored. */
async function expectGone(direct: App, caller: Caller): Promise<void> {
  const seen = async (namespace: string, key: string) => (await direct.cache.get(caller, { namespace, key })) !== null;
  for (const key of ['p0', 'p1', 'p2']) expect(await seen('ns', key)).toBe(false);
  expect(await seen('other', 'other')).toBe(true);
  const reclaim = createReclaim({ redis: direct.redis, keys: keysOf(direct), settleAfterMs: 0 });
  await reclaim.run({ id: caller.tenantId, generation: 1 });
  expect(await gateState(direct, caller.tenantId).read('v')).toBeNull();
  expect(await auditTenant(direct, caller.tenantId)).toBe(1);
}

function ownFlow(name: string, calls: readonly string[], selector: Selector): Flow {
  return {
    name,
    calls,
    async prepare(app, direct) {
      const { caller } = await newTenant(direct);
      await fill(direct, caller);
      return {
        run: (signal) => app.invalidation.invalidate({ ...caller, signal }, { selector, dry: false }),
        verify: () => expectGone(direct, caller),
      };
    },
  };
}

const ownFlows = [
  ownFlow('invalidate tags', ['invalidate-cache', 'invalidate-cache'], { by: 'tags', tags: ['red'] }),
  ownFlow('invalidate keys', ['invalidate-cache', 'invalidate-cache', 'remove-cache-entries'], {
    by: 'keys',
    namespace: 'ns',
    keys: ['p0', 'p1', 'p2'],
  }),
  ownFlow('invalidate a prefix', ['invalidate-cache', 'invalidate-cache', 'ZRANGE', 'remove-cache-entries'], {
    by: 'prefix',
    namespace: 'ns',
    prefix: 'p',
  }),
];

const tenantFlow: Flow = {
  name: "invalidate a tenant's namespace",
  calls: ['HGET', 'append-audit', 'invalidate-tenant-cache'],
  async prepare(app, direct) {
    const { caller } = await newTenant(direct);
    await fill(direct, caller);
    const { tenantId } = caller;
    const ulid = newUlid(Date.now());
    const request = { tenantId, selector: { by: 'namespace', namespace: 'ns' }, dry: false } as const;
    return {
      run: (signal) => app.tenantInvalidation.invalidate(request, { ulid, signal }),
      async verify() {
        await expectGone(direct, caller);
        const actions = await auditedActions(direct, tenantId);
        expect(actions.filter((action) => action === 'cache.invalidate')).toHaveLength(1);
      },
    };
  },
};

const reclaimFlow: Flow = {
  name: 'reclaim what was invalidated',
  calls: [
    'read-invalidations',
    'HMGET',
    'ZRANGE',
    'remove-cache-entries',
    'remove-cache-entries',
    'settle-invalidation',
  ],
  async prepare(app, direct) {
    const { caller } = await newTenant(direct);
    await fill(direct, caller);
    for (const selector of [
      { by: 'tags', tags: ['red'] },
      { by: 'namespace', namespace: 'ns' },
    ] as const) {
      await direct.invalidation.invalidate(caller, { selector, dry: false });
    }
    const reclaim = createReclaim({ redis: app.redis, keys: keysOf(app), settleAfterMs: 0 });
    return {
      run: (signal) => reclaim.run({ id: caller.tenantId, generation: 1, signal }),
      verify: () => expectGone(direct, caller),
    };
  },
};

const jobFlow: Flow = {
  name: 'a step of the job that invalidates a glob',
  calls: ['HGET', 'ZRANGE', 'remove-cache-entries'],
  async prepare(app, direct) {
    const { caller } = await newTenant(direct);
    await fill(direct, caller);
    const params = { namespace: 'ns', prefix: '', glob: '*[0-9]', bound: 100, total: 3, dry: false };
    const job = {
      kind: INVALIDATE_CACHE,
      tenantId: caller.tenantId,
      params,
      cursor: null,
      attempts: 1,
    } as unknown as Job;
    const runner = createInvalidateRunner({ redis: app.redis, keys: keysOf(app), now: Date.now });
    return {
      run: (signal) => runner.step(job, signal, async () => {}),
      async verify(result) {
        expect(result).toMatchObject({ done: {} });
        await expectGone(direct, caller);
      },
    };
  },
};

export const invalidationFlows: readonly Flow[] = [...ownFlows, tenantFlow, reclaimFlow, jobFlow];
