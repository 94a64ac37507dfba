/** All sessions of a user end by one call, hot or cold, but the one that asks for it. */
import { demand, demandStatus } from '../../claims.ts';
import { takeSpread } from '../../documents.ts';
import type { Portal } from './portal.ts';

/** Of the ended ones, so many are looked for. */
const SAMPLE = 20;
const TIMEOUT_MS = 30_000;

/** @returns how many were ended. @throws {BrokenClaimError} */
export async function signOutEverywhere(portal: Portal, userId: string): Promise<number> {
  const { tenant } = portal;
  const [kept, ...others] = portal.numbersOf(userId);
  demand(kept !== undefined, `Tenant ${tenant.name} has sessions of ${userId}`);
  const end = async (dry: boolean) => {
    const query = { user_id: userId, except: portal.idOf(kept), dry_run: String(dry) as 'true' | 'false' };
    const reply = await tenant.client.deleteSessions({ query, timeoutMs: TIMEOUT_MS });
    demandStatus(reply, 200, `Tenant ${tenant.name}, ${userId} signs out everywhere`);
    const { terminated, would_terminate, more } = reply.data;
    const count = dry ? would_terminate : terminated;
    demand(
      !more && count === others.length,
      `Signed out everywhere ${userId} loses ${count} sessions${dry ? ' (dry run)' : ''}, and has ${others.length} others`,
    );
  };
  await end(true);
  await end(false);
  for (const n of takeSpread(others, SAMPLE)) await portal.expectGone(n);
  await portal.read(kept, 'read');
  return others.length;
}
