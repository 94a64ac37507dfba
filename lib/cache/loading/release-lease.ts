/** Gives leases back through the gate. */
import type { Caller } from '../../gate/caller.ts';
import type { Gate } from '../../gate/gate.ts';
import type { EntryName, Keys } from '../../keys.ts';
import { releaseCacheLease } from '../../redis/bindings/lease-scripts.ts';
import { entryKeys, resourceOf } from '../entry-call.ts';

/**
 * Gives a lease back, so that the next who asks is granted it at once. One operation.
 * @returns false: it was not held any more, or never; nothing was changed.
 */
export type ReleaseLease = (caller: Caller, name: EntryName, token: string) => Promise<boolean>;

export function createReleaseLease({ gate, keys }: { readonly gate: Gate; readonly keys: Keys }): ReleaseLease {
  return async (caller, name, token) => {
    const all = entryKeys(keys, caller.tenantId, name);
    const { found } = await gate.run(caller, {
      script: releaseCacheLease,
      scope: 'cache:read',
      kind: 'write',
      resource: resourceOf(name),
      keys: (context) => ({ lease: all(context).lease }),
      args: () => ({ token }),
    });
    return found[0] === 1;
  };
}
