/** Lists the entries of a namespace by pages, in the order of the bytes of their keys. */
import type { AppError } from '../errors.ts';
import type { Caller } from '../gate/caller.ts';
import type { Gate } from '../gate/gate.ts';
import { allows } from '../gate/policies.ts';
import { escapeControls, type Keys, unescapeControls } from '../keys.ts';
import { getCacheEntries, listCacheEntries } from '../redis/bindings/cache-batch-scripts.ts';
import { MAX_TRIP_BYTES, MAX_TRIP_ITEMS } from './batch/batch-rules.ts';
import type { Corruption } from './corruption.ts';
import { readHead, type StoredHead } from './entry.ts';
import { resourceOf } from './entry-call.ts';
import { checkName } from './entry-rules.ts';
import type { ListCursors } from './list-cursor.ts';

export interface ListQuery {
  /** What the keys begin with; default empty: all of the namespace. */
  readonly prefix?: string;
  /** Of the page before. */
  readonly cursor?: string | undefined;
  /** 1 to 100; default 100. */
  readonly limit?: number;
}

export interface ListedEntry {
  readonly key: string;
  readonly head: StoredHead;
}

export interface EntryPage {
  readonly items: readonly ListedEntry[];
  /** Null: there is no more. A page may be short or empty and still have one. */
  readonly nextCursor: string | null;
}

export type EntryList = ReturnType<typeof createEntryList>;

export function createEntryList(deps: {
  readonly gate: Gate;
  readonly keys: Keys;
  readonly corruption: Pick<Corruption, 'is'>;
  readonly cursors: ListCursors;
}) {
  const { gate, keys, corruption, cursors } = deps;

  /** Only of what is there, can be read and the tenant's policies let the caller read. */
  const headsOf = async (
    caller: Caller,
    namespace: string,
    asked: readonly string[],
  ): Promise<readonly ListedEntry[]> => {
    const { found, nowMs } = await gate.run(caller, {
      script: getCacheEntries,
      scope: 'cache:read',
      kind: 'read',
      allowed: (policies, who) =>
        asked.every((key) => allows(policies, { ...who, resource: resourceOf({ namespace, key }) })),
      keys: ({ generation }) => ({
        entries: asked.map((key) => keys.cacheEntry(caller.tenantId, generation, { namespace, key })),
      }),
      args: () => ({ want: 'list', stale: 0, maxBytes: MAX_TRIP_BYTES }),
    });
    return (found as readonly string[]).flatMap((text, place) => {
      const head = text === '' ? null : headOf(text, nowMs);
      return head === null || head.meta.negative ? [] : [{ key: asked[place] as string, head }];
    });
  };

  /** One that is damaged is not listed: it is removed when it is read. */
  const headOf = (text: string, nowMs: number): StoredHead | null => {
    try {
      return readHead(text, nowMs);
    } catch (error) {
      if (!corruption.is(error)) throw error as AppError;
      return null;
    }
  };

  return {
    /**
     * One page: two round trips, one when it is empty; each is one operation. An entry that is there all the while is on exactly
     * one page. What the tenant's policies keep from the caller is left out.
     * @throws {InvalidRequestError} not a namespace, prefix or cursor.
     */
    async list(
      caller: Caller,
      namespace: string,
      { prefix = '', cursor, limit = MAX_TRIP_ITEMS }: ListQuery = {},
    ): Promise<EntryPage> {
      checkName({ namespace, key: prefix === '' ? '-' : prefix });
      const place = { tenantId: caller.tenantId, namespace, prefix };
      const after = cursor === undefined ? '' : cursors.read(place, cursor);
      const { found, context } = await gate.run(caller, {
        script: listCacheEntries,
        scope: 'cache:read',
        kind: 'read',
        keys: ({ generation }) => ({ index: keys.index(caller.tenantId, generation) }),
        args: () => ({ namespace, prefix: escapeControls(prefix), after: escapeControls(after), limit }),
      });
      const listed = (found as readonly string[]).map(unescapeControls);
      const who = { keyId: caller.keyId, action: 'cache:read' };
      const own = listed.filter((key) =>
        allows(context.policies, { ...who, resource: resourceOf({ namespace, key }) }),
      );
      const items = own.length === 0 ? [] : await headsOf(caller, namespace, own);
      const last = listed.length < limit ? undefined : listed.at(-1);
      const nextCursor = last === undefined ? null : cursors.write(place, last, last !== own.at(-1));
      return { items, nextCursor };
    },
  };
}
