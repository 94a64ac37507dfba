/** Flows of many entries, of numbers and of lifetimes, and the calls each makes. */
import { expect } from 'vitest';
import type { App } from '../../../lib/app.ts';
import type { Caller } from '../../../lib/gate/caller.ts';
import { newTenant } from '../app.ts';
import { auditTenant } from '../audit-tenant.ts';
import type { Flow } from './flow.ts';

const NS = 'ns';
const meta = { content_type: 'text/plain', tags: ['a'] };
const entries = ['a', 'b', 'c'].map((key) => ({ key, value: Buffer.from(key), meta, ttlMs: 60_000 }));
const keys = entries.map(({ key }) => key);
const number = { namespace: NS, key: 'n' };

interface How {
  readonly encryption?: boolean;
  readonly before?: (direct: App, caller: Caller) => Promise<unknown>;
  readonly run: (app: App, caller: Caller) => Promise<unknown>;
  readonly entriesAfter: number;
  readonly result?: unknown;
  readonly after?: (direct: App, caller: Caller) => Promise<unknown>;
}

function batchFlow(name: string, calls: readonly string[], how: How): Flow {
  return {
    name,
    calls,
    async prepare(app, direct) {
      const { tenant, caller } = await newTenant(direct, { encryption: how.encryption ?? false });
      await how.before?.(direct, caller);
      return {
        run: (signal) => how.run(app, { ...caller, signal }),
        async verify(result) {
          if ('result' in how) expect(result).toEqual(how.result);
          expect(await auditTenant(direct, tenant.id)).toBe(how.entriesAfter);
          await how.after?.(direct, caller);
        },
      };
    },
  };
}

const store = (direct: App, caller: Caller) => direct.cache.setMany(caller, NS, entries);
const hits = keys.map((key) => ({ key, status: 'hit', entry: expect.objectContaining({ meta }) }));

export const batchFlows: readonly Flow[] = [
  batchFlow('set many entries', ['set-cache-entries', 'set-cache-entries'], {
    run: (app, caller) => app.cache.setMany(caller, NS, entries),
    entriesAfter: 3,
    async after(direct, caller) {
      for (const { key, value } of entries)
        expect(await direct.cache.get(caller, { namespace: NS, key })).toMatchObject({ value });
    },
  }),
  batchFlow('get many entries', ['get-cache-entries', 'get-cache-entries'], {
    before: store,
    run: (app, caller) => app.cache.getMany(caller, NS, keys),
    entriesAfter: 3,
    result: hits,
  }),
  batchFlow('delete many entries', ['delete-cache-entries', 'delete-cache-entries'], {
    before: store,
    run: (app, caller) => app.cache.deleteMany(caller, NS, ['a', 'c', 'none']),
    entriesAfter: 1,
  }),
  batchFlow('list entries', ['list-cache-entries', 'list-cache-entries', 'get-cache-entries'], {
    before: store,
    run: (app, caller) => app.cache.list(caller, NS, { limit: 2 }),
    entriesAfter: 3,
    result: {
      items: ['a', 'b'].map((key) => ({ key, head: expect.objectContaining({ meta }) })),
      nextCursor: expect.any(String),
    },
  }),
  batchFlow('add to a number', ['increment-cache-entry', 'increment-cache-entry'], {
    before: (direct, caller) => direct.cache.increment(caller, number, 1),
    // As a call that is repeated with its Idempotency-Key.
    run: (app, caller) => app.cache.increment(caller, number, 1, { operation: 'again' }),
    entriesAfter: 1,
    result: expect.objectContaining({ value: 2, created: false }),
  }),
  batchFlow('give an entry another lifetime', ['touch-cache-entry', 'touch-cache-entry'], {
    before: store,
    run: (app, caller) => app.cache.touch(caller, { namespace: NS, key: 'a' }, { ttlMs: null }),
    entriesAfter: 3,
    result: expect.objectContaining({ expiresAtMs: null }),
  }),
];
