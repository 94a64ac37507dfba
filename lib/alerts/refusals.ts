/**
 * Refusals because of a quota, noted for the next pass over all tenants. A counter alone does not tell them: a value that
 * does not fit is refused at 90 %, a quota of 0 at nothing.
 */
import { parseTenantId, type TenantId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import { forgetRefusals } from '../redis/bindings/alert-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { pairsOf } from '../redis/reply-shape.ts';
import { runScript } from '../redis/script.ts';
import { asResource } from './refused-resource.ts';
import type { Resource } from './resources.ts';

export type Refusals = ReturnType<typeof createRefusals>;

/** A request is held up by this much, at most once a minute for each tenant and quota on an instance. */
const NOTE_MS = 100;
const MINUTE_MS = 60_000;
/** What one instance remembers to have noted in a minute; beyond, refusals wait for the next. */
const MAX_NOTED = 5_000;
/** Pairs in one call of the script. */
const CHUNK = 500;

/** Tenant -> quota -> when it was last refused, Unix ms. */
export type KnownRefusals = ReadonlyMap<TenantId, ReadonlyMap<Resource, number>>;

export function createRefusals(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  /** Unix ms. */
  readonly now: () => number;
}) {
  const { redis, keys, now } = deps;
  let minute = 0;
  const noted = new Set<string>();

  /** Whether it is the first of its kind in this minute. */
  const isFirst = (field: string, atMs: number): boolean => {
    if (Math.floor(atMs / MINUTE_MS) !== minute) {
      minute = Math.floor(atMs / MINUTE_MS);
      noted.clear();
    }
    if (noted.has(field) || noted.size >= MAX_NOTED) return false;
    noted.add(field);
    return true;
  };

  return {
    /**
     * Notes a refusal. Awaited, because on Lambda nothing may be pending after the reply; but for 100 ms at most, and never
     * a failure: the request has its answer already, and the next refusal is noted again.
     */
    async note(tenantId: TenantId, resource: Resource): Promise<void> {
      const atMs = now();
      const field = `${tenantId},${resource}`;
      if (!isFirst(field, atMs)) return;
      const options = { kind: 'write', signal: AbortSignal.timeout(NOTE_MS) } as const;
      await redis.send(['HSET', keys.refusals(), field, atMs], options).catch(() => noted.delete(field));
    },

    /** Everything noted and not yet forgotten. */
    async read(signal?: AbortSignal): Promise<{ readonly known: KnownRefusals; readonly seen: readonly string[] }> {
      const seen = (await redis.send(['HGETALL', keys.refusals()], { kind: 'read', signal })) as readonly string[];
      return { known: parseRefusals(seen), seen };
    },

    /** Forgets what was read, unless it was noted again since. */
    async forget(seen: readonly string[], signal?: AbortSignal): Promise<void> {
      for (let from = 0; from < seen.length; from += 2 * CHUNK) {
        await runScript(redis, forgetRefusals, {
          keys: { refusals: keys.refusals() },
          args: { seen: seen.slice(from, from + 2 * CHUNK) },
          kind: 'write',
          signal,
        });
      }
    },
  };
}

function parseRefusals(fields: readonly string[]): KnownRefusals {
  const known = new Map<TenantId, Map<Resource, number>>();
  for (const [field, at] of pairsOf(fields)) {
    const [id = '', name] = field.split(',');
    const [tenantId, resource, atMs] = [parseTenantId(id), asResource(name), Number(at)];
    if (tenantId === null || resource === undefined || !Number.isSafeInteger(atMs)) continue;
    known.set(tenantId, (known.get(tenantId) ?? new Map<Resource, number>()).set(resource, atMs));
  }
  return known;
}
