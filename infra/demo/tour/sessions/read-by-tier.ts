/** Single reads of sessions that are in Redis, and of such that are in S3: how long each takes. */

import { demandStatus } from '../../claims.ts';
import { takeSpread } from '../../documents.ts';
import type { Portal } from './portal.ts';

export type Tier = 'hot' | 'cold';

/** The numbers of a user's sessions, by where their data is now. @throws {BrokenClaimError} */
export async function listByTier(portal: Portal, userId: string): Promise<Readonly<Record<Tier, readonly number[]>>> {
  const { client, name } = portal.tenant;
  const found: Record<Tier, number[]> = { hot: [], cold: [] };
  const numbers = new Map(portal.numbersOf(userId).map((n) => [portal.idOf(n), n]));
  let cursor: string | null = null;
  do {
    const query = { user_id: userId, limit: PAGE, ...(cursor === null ? {} : { cursor }) };
    const page: Page = await client.listSessions({ query });
    demandStatus(page, 200, `Tenant ${name}, the sessions of ${userId}`);
    for (const { id, tier } of page.data.items) {
      const n = numbers.get(id);
      if (n !== undefined) found[tier].push(n);
    }
    cursor = page.data.next_cursor;
  } while (cursor !== null);
  return found;
}

const PAGE = 100;
type Page = Awaited<ReturnType<Portal['tenant']['client']['listSessions']>>;

/** Reads some of them, one call at a time. @returns how many. @throws {BrokenClaimError} one is not what was stored. */
export async function readSome(
  portal: Portal,
  numbers: readonly number[],
  { max, operation, signal }: { readonly max: number; readonly operation: string; readonly signal: AbortSignal },
): Promise<number> {
  const some = takeSpread(numbers, max);
  for (const n of some) {
    signal.throwIfAborted();
    await portal.read(n, operation);
  }
  return some.length;
}
