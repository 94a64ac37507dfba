/** Whatever is written, removed, invalidated, reclaimed and settled, in whatever order: what is seen is what a simple model says. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { compileGlob } from '../../lib/cache/invalidation/glob.ts';
import { createReclaim } from '../../lib/cache/invalidation/reclaim.ts';
import type { Selector } from '../../lib/cache/invalidation/selector.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import type { EntryName } from '../../lib/keys.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { auditTenant } from '../support/audit-tenant.ts';
import { gateState } from '../support/gate-state.ts';
import { redisTimeMs } from '../support/redis-time.ts';
import { keysOf } from '../support/tenant-state.ts';

const NAMESPACES = ['a', 'ab'];
const KEYS = ['k', 'k%', 'k/1', 'x'];
const TAGS = ['r', 'g'];
const NAMES: readonly EntryName[] = NAMESPACES.flatMap((namespace) => KEYS.map((key) => ({ namespace, key })));

type Step =
  | { readonly do: 'set'; readonly name: EntryName; readonly tags: readonly string[]; readonly expires: boolean }
  | { readonly do: 'delete'; readonly name: EntryName }
  | { readonly do: 'invalidate' | 'count'; readonly selector: Selector }
  | { readonly do: 'reclaim' | 'settle' | 'reclaim some' | 'clean' };

const name = fc.constantFrom(...NAMES);
const namespace = fc.constantFrom(...NAMESPACES);
const selector: fc.Arbitrary<Selector> = fc.oneof(
  fc.record({
    by: fc.constant('keys' as const),
    namespace,
    keys: fc.uniqueArray(fc.constantFrom(...KEYS), { minLength: 1 }),
  }),
  fc.record({ by: fc.constant('prefix' as const), namespace, prefix: fc.constantFrom('k', 'k%', 'k/', 'x') }),
  fc.record({ by: fc.constant('glob' as const), namespace, glob: fc.constantFrom('k*', 'k?1', '*1', '?') }),
  fc.record({ by: fc.constant('tags' as const), tags: fc.uniqueArray(fc.constantFrom(...TAGS), { minLength: 1 }) }),
  fc.record({ by: fc.constant('namespace' as const), namespace }),
  fc.constant({ by: 'all' as const }),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('set' as const),
      name,
      tags: fc.subarray(TAGS),
      expires: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), name }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('invalidate' as const), selector }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('count' as const), selector }) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(...(['reclaim', 'settle', 'reclaim some', 'clean'] as const))
      .map((what) => ({ do: what })),
  },
);

/** What there is: its tags by its name. */
type Model = Map<string, readonly string[]>;
const idOf = ({ namespace: ns, key }: EntryName) => `${ns} ${key}`;

function matching(model: Model, selected: Selector): readonly string[] {
  const fits = ({ namespace: ns, key }: EntryName): boolean => {
    if (selected.by === 'all') return true;
    if (selected.by === 'tags')
      return (model.get(idOf({ namespace: ns, key })) ?? []).some((tag) => selected.tags.includes(tag));
    if (ns !== selected.namespace) return false;
    if (selected.by === 'keys') return selected.keys.includes(key);
    if (selected.by === 'prefix') return key.startsWith(selected.prefix);
    return selected.by === 'namespace' || compileGlob(selected.glob).matches(key);
  };
  return NAMES.filter((entry) => model.has(idOf(entry)) && fits(entry)).map(idOf);
}

describe.each(TRANSPORTS)('invalidation beside a model, over %s [C8]', (transport) => {
  let app: App;
  beforeAll(async () => {
    app = await testApp({ transport });
  });

  const run = async (caller: Caller, model: Model, now: Step) => {
    const place = { id: caller.tenantId, generation: 1 };
    const deps = { redis: app.redis, keys: keysOf(app) };
    switch (now.do) {
      case 'set': {
        const ttlMs = now.expires ? 1 : null;
        const meta = { content_type: 'text/plain', ...(now.tags.length > 0 ? { tags: [...now.tags] } : {}) };
        await app.cache.set(caller, now.name, { value: Buffer.from('v'), meta, ttlMs, graceMs: 0 });
        if (now.expires) {
          for (const until = (await redisTimeMs(app)) + 2; (await redisTimeMs(app)) < until; );
          model.delete(idOf(now.name));
        } else model.set(idOf(now.name), now.tags);
        return;
      }
      case 'delete':
        expect(await app.cache.delete(caller, now.name)).toBe(model.delete(idOf(now.name)));
        return;
      case 'invalidate':
        await invalidate(caller, now.selector, false);
        for (const id of matching(model, now.selector)) model.delete(id);
        return;
      case 'count':
        return expectCounted(await invalidate(caller, now.selector, true), model, now.selector);
      case 'reclaim some':
        return void (await createReclaim(deps).some(place));
      case 'clean':
        return void (await createReclaim(deps).run(place));
      case 'reclaim':
      case 'settle':
        return void (await createReclaim({ ...deps, settleAfterMs: 0 }).run(place));
    }
  };

  /** What it counted. */
  const invalidate = async (caller: Caller, selected: Selector, dry: boolean) => {
    const outcome = await app.invalidation.invalidate(caller, { selector: selected, dry });
    return outcome.kind === 'done' ? outcome.data : outcome.job.result;
  };

  const expectCounted = (counted: unknown, model: Model, selected: Selector) => {
    if (selected.by !== 'tags') {
      expect(counted).toEqual({ would_invalidate: matching(model, selected).length, exact: true });
      return;
    }
    const items = selected.tags.map((tag) => ({
      tag,
      would_invalidate: matching(model, { by: 'tags', tags: [tag] }).length,
    }));
    expect(counted).toMatchObject({ exact: true, items });
  };

  it('shows and counts exactly what was not invalidated, and charges what is stored', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        const { caller } = await newTenant(app);
        const model: Model = new Map();
        for (const now of steps) {
          await run(caller, model, now);
          const seen = await Promise.all(
            NAMES.map(async (entry) => ((await app.cache.get(caller, entry)) === null ? [] : [idOf(entry)])),
          );
          expect(new Set(seen.flat())).toEqual(new Set(model.keys()));
        }
        await run(caller, model, { do: 'settle' });
        expect(await gateState(app, caller.tenantId).read('v')).toBeNull();
        expect(await auditTenant(app, caller.tenantId)).toBe(model.size);
      }),
      { numRuns: transport === 'tcp' ? 40 : 10 },
    );
  }, 120_000);
});
