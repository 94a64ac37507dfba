/** Removes entries through the gate, or tells what that would remove. */
import type { Caller } from '../gate/caller.ts';
import type { Gate } from '../gate/gate.ts';
import type { Scope } from '../gate/scope.ts';
import type { EntryName, Keys } from '../keys.ts';
import { deleteCacheEntry } from '../redis/bindings/cache-write-scripts.ts';
import type { Corruption } from './corruption.ts';
import type { PreviewDeleteResponse } from './delete-contract.ts';
import { type Condition, conditionText, entryKeys, newOperation, resourceOf } from './entry-call.ts';
import { CONDITION_FAILED, conditionFailed } from './outcomes.ts';

/** Of a stored entry: as far as its head can be read at all. */
const DIGEST = /^c(?:1(?:,[^,\n]*){7}|2(?:,[^,\n]*){11}),([\w-]+),/;

export type EntryRemover = ReturnType<typeof createEntryRemover>;

export function createEntryRemover(deps: {
  readonly gate: Gate;
  readonly keys: Keys;
  readonly corruption: Corruption;
}) {
  const { gate, keys, corruption } = deps;

  interface Removal {
    readonly condition: string;
    readonly scope: Scope;
    /** Empty: nothing is removed, and the answer has the bytes. */
    readonly op: string;
    readonly kind: 'read' | 'write';
  }

  const ask = async (caller: Caller, name: EntryName, { condition, scope, op, kind }: Removal) => {
    const { found } = await gate.run(caller, {
      script: deleteCacheEntry,
      scope,
      kind,
      resource: resourceOf(name),
      keys: entryKeys(keys, caller.tenantId, name),
      args: () => ({ condition, op }),
      declined: ([outcome]) => outcome === CONDITION_FAILED,
    });
    return found;
  };

  return {
    /** Removes the entry; false when there was none. @throws {PreconditionFailedError} the condition does not hold. */
    async delete(caller: Caller, name: EntryName, condition: Condition = 'none'): Promise<boolean> {
      const removal = { condition: conditionText(condition), scope: 'cache:write', kind: 'write' } as const;
      const [outcome] = await ask(caller, name, { ...removal, op: newOperation() });
      if (outcome === CONDITION_FAILED) throw conditionFailed();
      return outcome === 1;
    },

    /**
     * What `delete` would remove now; nothing is removed. One operation, as `delete`.
     * @returns `bytes` it would give back of the tenant's memory. @throws {PreconditionFailedError} as `delete`.
     */
    async previewDelete(
      caller: Caller,
      name: EntryName,
      condition: Condition = 'none',
    ): Promise<PreviewDeleteResponse> {
      const look = { condition: conditionText(condition), scope: 'cache:write', op: '', kind: 'read' } as const;
      const [outcome, bytes] = await ask(caller, name, look);
      if (outcome === CONDITION_FAILED) throw conditionFailed();
      return { would_remove: outcome as number, bytes: bytes as number };
    },

    /** Removes what cannot be read, so that it is a miss from now on; a value written meanwhile stays. Throws other errors on. */
    async discard(caller: Caller, name: EntryName, text: string, error: unknown): Promise<null> {
      if (!corruption.is(error)) throw error;
      corruption.report(caller.tenantId);
      const condition = `unreadable,${DIGEST.exec(text)?.[1] ?? ''}`;
      await ask(caller, name, { condition, scope: 'cache:read', op: newOperation(), kind: 'write' });
      return null;
    },
  };
}
