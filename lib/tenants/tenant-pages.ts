import type { TenantId } from '../ids.ts';
import type { Tenants } from './tenants.ts';

/** As many as one round trip of a pass asks about. */
export const TENANTS_PER_PAGE = 100;

/**
 * All tenants in order of creation, by pages of {@link TENANTS_PER_PAGE}; none is empty. For passes of schedules: one that
 * is created meanwhile is met or not, one that is there all the while is met once. Ends early when `signal` aborts.
 * @throws as Tenants.listIds.
 */
export async function* tenantPages(
  tenants: Pick<Tenants, 'listIds'>,
  signal?: AbortSignal,
): AsyncGenerator<readonly TenantId[]> {
  let after: TenantId | undefined;
  do {
    if (signal?.aborted) return;
    const page = await tenants.listIds({ after, limit: TENANTS_PER_PAGE });
    if (page.length > 0) yield page;
    after = page.length === TENANTS_PER_PAGE ? page.at(-1) : undefined;
  } while (after !== undefined);
}
