/** Makes room for an entry at the tenant's memory limit. */
import type { Caller } from '../../gate/caller.ts';
import type { TenantContext } from '../../gate/context-format.ts';
import type { RepeatedShortage } from '../../gate/full.ts';

/**
 * @param spared Redis keys of entries that are not removed for it: those the call itself is about.
 * @returns whether there may be room now; asked again while there is not. False: nothing more can be done.
 */
export type MakeRoom = (
  caller: Caller,
  context: TenantContext,
  shortage: RepeatedShortage,
  spared?: readonly string[],
) => Promise<boolean>;
