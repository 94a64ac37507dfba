/** What of a tenant is invalidated and not settled: read from its gate and the names beside it (redis/scripts/includes/epochs.lua). */
import type { Keys } from '../../keys.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { readTogether } from '../../redis/read-together.ts';
import { ALL_ENTRIES, type EntryRange, entriesOf, entriesWithTag } from './entry-range.ts';
import type { Place } from './entry-walk.ts';

/** One epoch, as settle-invalidation.lua names it. */
export interface PendingField {
  /** `all`, `n:<namespace>` or `t:<tag>`. */
  readonly field: string;
  readonly epoch: number;
  /** The epoch up to which it hides entries: 0 of a namespace that only has a fence. */
  readonly hides: number;
  /** Where what it hides is listed. */
  readonly range: EntryRange;
}

export interface PendingInvalidations {
  /** First that of all entries, if there is one: behind it nothing older is left to walk. */
  readonly fields: readonly PendingField[];
  /** The newest of their epochs; 0: none. */
  readonly newest: number;
  /** Whether there are entries that the index does not list by tag: of format c1. */
  readonly unlisted: boolean;
}

interface Deps {
  readonly redis: RedisDriver;
  readonly keys: Keys;
}

/** One round trip, two when namespaces are pending. */
export async function readPending({ redis, keys }: Deps, place: Place): Promise<PendingInvalidations> {
  const { id, generation, signal } = place;
  const index = keys.index(id, generation);
  const count = (part: string) => ['ZLEXCOUNT', index, `[${part}\0`, `(${part}\x01`] as const;
  const [v, names, entries, inMemory, inBlobs] = await readTogether(
    redis,
    [
      ['HGET', keys.gate(id), 'v'],
      ['ZRANGE', keys.invalidated(id), 0, -1, 'WITHSCORES'],
      count('k\0c'),
      count('a'),
      count('s'),
    ],
    { signal, name: 'read-invalidations' },
  );
  const all = Number(/^v1,(\d+),/.exec(String(v))?.[1] ?? 0);
  const fields = [
    ...(all > 0 ? [{ field: 'all', epoch: all, hides: all, range: ALL_ENTRIES }] : []),
    ...(await hiding({ redis, keys }, place, fieldsOf((names ?? []) as readonly string[]))),
  ];
  return {
    fields,
    newest: Math.max(0, ...fields.map(({ epoch }) => epoch)),
    unlisted: Number(entries) > Number(inMemory) + Number(inBlobs),
  };
}

function fieldsOf(pairs: readonly string[]): readonly PendingField[] {
  return pairs.flatMap((field, i) => {
    if (i % 2 === 1) return [];
    const name = field.slice(2);
    const range = field.startsWith('n:') ? entriesOf(name) : entriesWithTag(name);
    const epoch = Number(pairs[i + 1]);
    return [{ field, epoch, hides: epoch, range }];
  });
}

/** The fields with what each hides: a namespace's newest seq may be that of its fence. */
async function hiding({ redis, keys }: Deps, { id, signal }: Place, fields: readonly PendingField[]) {
  const namespaces = fields.map(({ field }) => field).filter((field) => field.startsWith('n:'));
  if (namespaces.length === 0) return fields;
  const command = ['HMGET', keys.gate(id), ...namespaces] as const;
  const values = (await redis.send(command, { kind: 'read', signal })) as readonly (string | null)[];
  const hides = new Map(namespaces.map((field, i) => [field, Number(values[i]?.split(',')[0] ?? 0)]));
  return fields.map((pending) => ({ ...pending, hides: hides.get(pending.field) ?? pending.hides }));
}
