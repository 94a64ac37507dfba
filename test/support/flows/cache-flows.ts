/** Flows through the gate, and the calls each makes. */
import { expect } from 'vitest';
import type { App } from '../../../lib/app.ts';
import { ForbiddenError } from '../../../lib/errors.ts';
import { EMPTY_CONTEXT, packContext } from '../../../lib/gate/context-format.ts';
import { newTenant } from '../app.ts';
import { auditTenant } from '../audit-tenant.ts';
import { gateState } from '../gate-state.ts';
import { redisTimeMs } from '../redis-time.ts';
import { keysOf } from '../tenant-state.ts';
import type { Flow } from './flow.ts';

const entry = { namespace: 'ns', key: 'k' };
const value = Buffer.from('a value');
const set = (ttlMs: number | null) => ({ value, meta: { content_type: 'text/plain' }, ttlMs });

const identify: Flow = {
  name: 'who am I',
  calls: ['check-key', 'check-key'],
  async prepare(app, direct) {
    const { tenant, caller } = await newTenant(direct);
    return {
      run: (signal) => app.account.identify({ ...caller, signal }),
      verify: async (result) => expect(result).toMatchObject({ tenant_id: tenant.id }),
    };
  },
};

/** A cache flow of an instance that does not know the tenant yet: its first trip only learns the context. */
function cacheFlow(
  name: string,
  calls: readonly string[],
  how: {
    /** The entry before; undefined: none. */
    readonly ttlMs?: number | null;
    readonly before?: (direct: App, key: string) => Promise<unknown>;
    readonly run: (app: App, caller: Parameters<App['cache']['get']>[0]) => Promise<unknown>;
    readonly entriesAfter: number;
    readonly result?: unknown;
  },
): Flow {
  return {
    name,
    calls,
    async prepare(app, direct) {
      const { tenant, caller } = await newTenant(direct);
      if (how.ttlMs !== undefined) await direct.cache.set(caller, entry, set(how.ttlMs));
      await how.before?.(direct, keysOf(direct).cacheEntry(tenant.id, 1, entry));
      return {
        run: (signal) => how.run(app, { ...caller, signal }),
        async verify(result) {
          if ('result' in how) expect(result).toEqual(how.result);
          expect(await auditTenant(direct, tenant.id)).toBe(how.entriesAfter);
          const found = await direct.cache.get(caller, entry);
          expect(found).toEqual(how.entriesAfter === 0 ? null : expect.objectContaining({ value }));
        },
      };
    },
  };
}

/** Until Redis' clock has moved on. */
async function passMs(direct: App): Promise<void> {
  for (const until = (await redisTimeMs(direct)) + 2; (await redisTimeMs(direct)) < until; );
}

/** Another last byte than the one that was written. */
async function damage(direct: App, key: string): Promise<void> {
  const length = Number(await direct.redis.send(['STRLEN', key], { kind: 'read' }));
  await direct.redis.send(['SETRANGE', key, length - 1, '~'], { kind: 'write' });
}

const entryFlows = [
  cacheFlow('set entry', ['set-cache-entry', 'set-cache-entry'], {
    run: (app, caller) => app.cache.set(caller, entry, set(60_000)),
    entriesAfter: 1,
    result: expect.objectContaining({ rawBytes: value.length }),
  }),
  cacheFlow('replace entry', ['set-cache-entry', 'set-cache-entry'], {
    ttlMs: 30_000,
    run: (app, caller) => app.cache.set(caller, entry, set(null)),
    entriesAfter: 1,
  }),
  cacheFlow('get entry', ['get-cache-entry', 'get-cache-entry'], {
    ttlMs: 60_000,
    run: (app, caller) => app.cache.get(caller, entry),
    entriesAfter: 1,
    result: expect.objectContaining({ value }),
  }),
  cacheFlow('get expired entry', ['get-cache-entry', 'get-cache-entry'], {
    ttlMs: 1,
    before: passMs,
    run: (app, caller) => app.cache.get(caller, entry),
    entriesAfter: 0,
    result: null,
  }),
  cacheFlow('get damaged entry', ['get-cache-entry', 'get-cache-entry', 'delete-cache-entry'], {
    ttlMs: 60_000,
    before: damage,
    run: (app, caller) => app.cache.get(caller, entry),
    entriesAfter: 0,
    result: null,
  }),
  cacheFlow('head entry', ['get-cache-entry', 'get-cache-entry'], {
    ttlMs: null,
    run: (app, caller) => app.cache.head(caller, entry),
    entriesAfter: 1,
  }),
  cacheFlow('delete entry', ['delete-cache-entry', 'delete-cache-entry'], {
    ttlMs: 60_000,
    run: (app, caller) => app.cache.delete(caller, entry),
    entriesAfter: 0,
  }),
  cacheFlow('preview of deleting an entry', ['delete-cache-entry', 'delete-cache-entry'], {
    ttlMs: 60_000,
    run: (app, caller) => app.cache.previewDelete(caller, entry),
    entriesAfter: 1,
    result: { would_remove: 1, bytes: expect.any(Number) },
  }),
];

/** A policy forbids it: the gate is asked for the context, and once more whether the key is good. */
const deniedByPolicy: Flow = {
  name: 'get entry that a policy denies',
  calls: ['get-cache-entry', 'verify-access'],
  async prepare(app, direct) {
    const { tenant, caller } = await newTenant(direct);
    const statements = [{ effect: 'deny', actions: ['cache:*'], resources: ['cache/ns/*'] }] as const;
    const policies = { default: 'allow', statements } as const;
    const context = packContext({ ...EMPTY_CONTEXT, policies });
    await direct.redis.send(['HSET', keysOf(direct).gate(tenant.id), 'x', context], { kind: 'write' });
    const before = await gateState(direct, tenant.id).read('m');
    return {
      async run(signal) {
        const code = await app.cache.get({ ...caller, signal }, entry).catch(codeOf);
        expect(code).toBe('access_denied');
      },
      verify: async () => expect(await gateState(direct, tenant.id).read('m')).toBe(before),
    };
  },
};

/** A denial is what is asked for; anything else goes on as it is. */
function codeOf(error: unknown): string {
  if (error instanceof ForbiddenError) return error.code;
  throw error;
}

const cleanUp: Flow = {
  name: 'clean up',
  calls: ['ZRANGE', 'HMGET', 'ZRANGE', 'remove-expired-records'],
  async prepare(app, direct) {
    const { tenant, caller } = await newTenant(direct);
    for (const key of ['a', 'b']) await direct.cache.set(caller, { ...entry, key }, set(1));
    await direct.cache.set(caller, entry, set(null));
    await passMs(direct);
    return {
      run: async (signal) => expect((await app.cleanUp.run(signal)).finished).toBe(true),
      verify: async () => expect(await auditTenant(direct, tenant.id)).toBe(1),
    };
  },
};

export const cacheFlows: readonly Flow[] = [identify, ...entryFlows, deniedByPolicy, cleanUp];
