import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newTenantId, newUlid, type TenantId } from '../../lib/ids.ts';
import { TENANTS_PER_PAGE, tenantPages } from '../../lib/tenants/tenant-pages.ts';

const idsOf = (count: number) => Array.from({ length: count }, () => newTenantId(newUlid(0))).sort();

/** Answers as Tenants.listIds does. */
const listOf = (ids: readonly TenantId[]) => ({
  listIds: async ({ after = '' as TenantId, limit }: { after?: TenantId | undefined; limit: number }) =>
    ids.filter((id) => id > after).slice(0, limit),
});

describe('pages of tenants [T1]', () => {
  it('meet each tenant once, in order, and are never empty, however many there are', async () => {
    const counts = fc.oneof(
      fc.nat(250),
      fc.constantFrom(0, 1, 2).map((pages) => pages * TENANTS_PER_PAGE),
    );
    await fc.assert(
      fc.asyncProperty(counts, async (count) => {
        const ids = idsOf(count);
        const met: TenantId[] = [];
        for await (const page of tenantPages(listOf(ids))) {
          expect(page.length).toBeGreaterThan(0);
          met.push(...page);
        }
        expect(met).toEqual(ids);
      }),
    );
  });

  it('end after the page during which the signal aborts; one aborted before asks nothing', async () => {
    const stop = new AbortController();
    let pages = 0;
    for await (const _page of tenantPages(listOf(idsOf(250)), stop.signal)) {
      pages++;
      stop.abort();
    }
    expect(pages).toBe(1);
    const never = { listIds: () => Promise.reject(new Error('asked')) };
    expect(await tenantPages(never, stop.signal).next()).toEqual({ done: true, value: undefined });
  });
});
