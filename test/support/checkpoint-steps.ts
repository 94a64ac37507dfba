/** Steps of a run beside checkpoints: what can be done to cache entries and sessions of a tenant, by requests and by schedules. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import type { App } from '../../lib/app.ts';
import { createReclaim } from '../../lib/cache/invalidation/reclaim.ts';
import type { Selector } from '../../lib/cache/invalidation/selector.ts';
import { StorageFullError } from '../../lib/errors.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { passMs } from './redis-time.ts';
import { spillToolsOn, texts } from './spill-tools.ts';
import { generationOf, keysOf } from './tenant-state.ts';

const NAMESPACES = ['a', 'ab'] as const;
const KEYS = ['k', 'k%', 'k\n1', 'x', 'ž\u{1f642}', '\u{e000}'] as const;
const TAGS = ['r', 'g'] as const;
const USERS = ['ada', 'bob%', null] as const;
/** Small, packed, and in S3: of a service that keeps up to 500 bytes in Redis. */
const SIZES = [3, 300, 1_000] as const;

const which = fc.nat(30);
const name = fc.record({ namespace: fc.constantFrom(...NAMESPACES), key: fc.constantFrom(...KEYS) });
const tags = fc.subarray([...TAGS]);
const size = fc.constantFrom(...SIZES);
const life = fc.constantFrom('for ever', 'an hour', 'with grace', 'no time');
const data = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom(1, 200, 3_000), { maxKeys: 2 });
const userId = fc.constantFrom(...USERS);
const named = <const Name extends string>(what: Name) => fc.constant(what);
const selector: fc.Arbitrary<Selector> = fc.oneof(
  fc.record({
    by: named('keys'),
    namespace: fc.constantFrom(...NAMESPACES),
    keys: fc.subarray([...KEYS], { minLength: 1 }),
  }),
  fc.record({ by: named('prefix'), namespace: fc.constantFrom(...NAMESPACES), prefix: fc.constantFrom('k', 'x') }),
  fc.record({ by: named('tags'), tags: fc.subarray([...TAGS], { minLength: 1 }) }),
  fc.record({ by: named('namespace'), namespace: fc.constantFrom(...NAMESPACES) }),
  fc.constant({ by: 'all' as const }),
);

const write = fc.record({ name, tags, size, life });
export const dataStep = fc.oneof(
  { weight: 14, arbitrary: fc.record({ do: named('set'), write }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: named('set many'), writes: fc.array(write, { minLength: 1, maxLength: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: named('load'), write }) },
  { weight: 4, arbitrary: fc.record({ do: named('increment'), name }) },
  { weight: 4, arbitrary: fc.record({ do: named('touch'), name, life }) },
  { weight: 4, arbitrary: fc.record({ do: named('get'), name }) },
  { weight: 5, arbitrary: fc.record({ do: named('delete'), name }) },
  { weight: 2, arbitrary: fc.record({ do: named('delete many'), names: fc.subarray([...KEYS], { minLength: 1 }) }) },
  { weight: 5, arbitrary: fc.record({ do: named('invalidate'), selector }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('reclaim', 'settle', 'clean') }) },
  { weight: 2, arbitrary: fc.record({ do: named('divide memory') }) },
  {
    weight: 10,
    arbitrary: fc.record({ do: named('create session'), userId, data, idleMs: fc.constantFrom(1_000, 60_000) }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      do: named('update session'),
      which,
      set: data,
      remove: fc.subarray(['a', 'b', 'c']),
      replace: fc.boolean(),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: named('get session'), which, touch: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: named('touch session'), which, ttlMs: fc.constantFrom(undefined, 30_000, 90_000) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: named('rotate session'), which, userId: fc.option(userId, { nil: undefined }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: named('terminate session'), which }) },
  { weight: 1, arbitrary: fc.record({ do: named('terminate user'), userId: fc.constantFrom('ada', 'bob%') }) },
  { weight: 5, arbitrary: fc.record({ do: named('spill'), count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ do: named('prefetch'), which }) },
);
export type DataStep = typeof dataStep extends fc.Arbitrary<infer S> ? S : never;

/** A tenant, and the ids of its sessions, the newest last. */
export interface DataPlace {
  readonly caller: Caller;
  readonly sessions: string[];
}

/** Does it; what is refused because there is no room is not done. */
export async function takeDataStep(app: App, place: DataPlace, step: DataStep): Promise<void> {
  try {
    await take(app, place, step);
  } catch (error) {
    if (!(error instanceof StorageFullError)) throw error;
  }
}

async function take(app: App, { caller, sessions }: DataPlace, step: DataStep): Promise<unknown> {
  const place = { id: caller.tenantId, generation: await generationOf(app, caller.tenantId) };
  const deps = { redis: app.redis, keys: keysOf(app) };
  switch (step.do) {
    case 'set':
      await app.cache.set(caller, step.write.name, entryOf(step.write));
      return step.write.life === 'no time' ? passMs(app) : undefined;
    case 'set many': {
      const namespace = step.writes[0]?.name.namespace ?? NAMESPACES[0];
      const entries = new Map(step.writes.map((one) => [one.name.key, { key: one.name.key, ...entryOf(one) }]));
      return app.cache.setMany(caller, namespace, [...entries.values()]);
    }
    case 'load':
      return app.cache.getOrSet(caller, step.write.name, async () => entryOf(step.write));
    case 'increment':
      return app.cache.increment(caller, step.name, 1, { ttlMs: null, graceMs: 0 }).catch(notANumber);
    case 'touch':
      return app.cache.touch(caller, step.name, lifeOf(step.life));
    case 'get':
      return app.cache.get(caller, step.name, { stale: true });
    case 'delete':
      return app.cache.delete(caller, step.name);
    case 'delete many':
      return app.cache.deleteMany(caller, NAMESPACES[0], step.names);
    case 'invalidate':
      return app.invalidation.invalidate(caller, { selector: step.selector, dry: false });
    case 'reclaim':
      return createReclaim(deps).run(place);
    case 'settle':
      return createReclaim({ ...deps, settleAfterMs: 0 }).run(place);
    case 'clean':
      return app.cleanUp.run();
    case 'divide memory':
      return app.memoryBudget.run();
    case 'create session': {
      const made = await app.sessions.create(caller, {
        ...(step.userId === null ? {} : { userId: step.userId }),
        ttlMs: step.idleMs,
        data: dataOf(step.data),
      });
      return sessions.push(made.id);
    }
    case 'terminate user':
      return app.sessions.terminateUser(caller, step.userId, {});
    case 'spill': {
      const { coldest, spiller } = spillToolsOn(app);
      return spiller.spill(place, await coldest.find(place, step.count));
    }
    default:
      return takeSessionStep(app, { caller, sessions }, step);
  }
}

type SessionStep = Extract<DataStep, { readonly which: number }>;

async function takeSessionStep(app: App, { caller, sessions }: DataPlace, step: SessionStep): Promise<unknown> {
  const at = sessions.length - 1 - (step.which % Math.max(1, Math.min(6, sessions.length)));
  const id = sessions[at];
  if (id === undefined) return;
  switch (step.do) {
    case 'update session': {
      const set = dataOf(step.set);
      const remove = step.remove.filter((key) => !set.has(key));
      return app.sessions.update(caller, id, { set, remove, replace: step.replace });
    }
    case 'get session':
      return app.sessions.get(caller, id, { touch: step.touch });
    case 'touch session':
      return app.sessions.touch(caller, id, step.ttlMs === undefined ? {} : { ttlMs: step.ttlMs });
    case 'rotate session': {
      const rotated = await app.sessions.rotate(caller, id, step.userId === undefined ? {} : { userId: step.userId });
      if (rotated !== null) sessions[at] = rotated.id;
      return;
    }
    case 'terminate session':
      return app.sessions.terminate(caller, id);
    case 'prefetch':
      return app.sessions.prefetch(caller, [id]);
  }
}

const lifeOf = (asked: 'for ever' | 'an hour' | 'with grace' | 'no time') => ({
  ttlMs: { 'for ever': null, 'an hour': 3_600_000, 'with grace': 1, 'no time': 1 }[asked],
  graceMs: asked === 'with grace' ? 3_600_000 : 0,
});

function entryOf(step: {
  readonly tags: readonly string[];
  readonly size: number;
  readonly life: Parameters<typeof lifeOf>[0];
}) {
  const meta = { content_type: 'text/plain', ...(step.tags.length === 0 ? {} : { tags: [...step.tags] }) };
  const value = step.size < 10 ? Buffer.from(String(randomBytes(2).readUInt16BE())) : randomBytes(step.size);
  return { value, meta, ...lifeOf(step.life) };
}

const dataOf = (sizes: Readonly<Record<string, number>>) =>
  texts(Object.fromEntries(Object.entries(sizes).map(([key, bytes]) => [key, randomBytes(bytes).toString('base64')])));

const notANumber = (error: unknown) => {
  if ((error as { readonly code?: unknown }).code !== 'not_a_number') throw error;
};
