/** The list of tenants, by pages: two round trips each, however many tenants there are. */
import type { TenantId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import { listTenants } from '../redis/bindings/tenant-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { readTogether } from '../redis/read-together.ts';
import { runScript } from '../redis/script.ts';
import type { TenantResponse } from './contract.ts';
import { unpackRecord } from './record-format.ts';
import { searchText } from './tenant-summary.ts';

export interface TenantQuery {
  /** 100 at most. */
  readonly limit: number;
  /** Of the page before. */
  readonly cursor?: string | undefined;
  readonly plan?: TenantResponse['plan'] | undefined;
  readonly status?: TenantResponse['status'] | undefined;
  /** Part of a name, or of the owner's name, id, email or organization; in any case. */
  readonly text?: string | undefined;
}

export interface TenantPage {
  readonly items: readonly TenantResponse[];
  /** Null: there is no more. A page may be short or empty and still have one. */
  readonly next_cursor: string | null;
}

export type TenantList = ReturnType<typeof createTenantList>;

export function createTenantList({ redis, keys }: { readonly redis: RedisDriver; readonly keys: Keys }) {
  return {
    /** In order of creation. A tenant that is there all the while is on exactly one page. */
    async list(query: TenantQuery, signal?: AbortSignal): Promise<TenantPage> {
      const { limit, cursor = '', text = '' } = query;
      const found = await runScript(redis, listTenants, {
        keys: { index: keys.tenantIndex(), summary: keys.tenantSummary() },
        args: { prefix: prefixOf(query), after: cursor, limit, text: text.toLowerCase() },
        kind: 'read',
        signal,
      });
      const records = await readTogether(
        redis,
        found.ids.map((id) => ['GET', keys.record(id as TenantId)] as const),
        { signal, name: 'read-tenants' },
      );
      // One without a record was erased since it was listed.
      const items = records.flatMap((record) => (typeof record === 'string' ? [unpackRecord(record).tenant] : []));
      return {
        items: items.filter((tenant) => isWanted(tenant, query)),
        next_cursor: found.cursor === '' ? null : found.cursor,
      };
    },
  };
}

/** What the index's members begin with: redis/scripts/includes/list-tenant.lua. */
function prefixOf({ plan, status }: TenantQuery): string {
  if (plan !== undefined && status !== undefined) return `b\0${plan}\0${status}\0`;
  if (plan !== undefined) return `p\0${plan}\0`;
  return status === undefined ? 'i\0' : `s\0${status}\0`;
}

/** The list may be a moment behind the records: what no longer fits is not shown. */
const isWanted = (tenant: TenantResponse, { plan, status, text = '' }: TenantQuery): boolean =>
  (plan === undefined || tenant.plan === plan) &&
  (status === undefined || tenant.status === status) &&
  searchText(tenant).includes(text.toLowerCase());
