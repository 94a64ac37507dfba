/** What a key's holder may know of itself. */
import { ForbiddenError } from '../errors.ts';
import type { Caller } from '../gate/caller.ts';
import { unpackCounters } from '../gate/counters.ts';
import type { Gate } from '../gate/gate.ts';
import { unpackLimits } from '../gate/gate-fields.ts';
import { readFacts } from '../quotas/quota-facts.ts';
import { quotaState } from '../quotas/quota-state.ts';
import { checkKey } from '../redis/bindings/key-scripts.ts';
import { sessionStock } from '../usage/session-stock.ts';
import type { WhoAmIResponse } from './contract.ts';

export type Account = ReturnType<typeof createAccount>;

export function createAccount({ gate }: { readonly gate: Gate }) {
  return {
    /** Whether the key is one of this service's, and good; meters nothing. @throws {UnauthorizedError} it is not. */
    async verify(caller: Caller): Promise<void> {
      const asked = gate.run(caller, {
        script: checkKey,
        scope: 'admin',
        kind: 'read',
        keys: () => ({}),
        args: () => ({}),
      });
      await asked.catch((error: unknown) => {
        if (!(error instanceof ForbiddenError)) throw error;
      });
    },

    /** Opens the gate and does nothing else; one operation, one round trip. @throws as Gate.run. */
    async identify(caller: Caller): Promise<WhoAmIResponse> {
      const { admission, found, nowMs } = await gate.run(caller, {
        script: checkKey,
        scope: 'none',
        kind: 'read',
        keys: () => ({}),
        args: () => ({}),
      });
      const [keyId, scopes, limitsText, countersText] = found;
      const facts = readFacts(found.slice(2), nowMs);
      const { quotas, burst } = unpackLimits(limitsText as string);
      const counters = unpackCounters(countersText as string);
      const { memoryBytes, entries, operations, bytesIn, bytesOut } = counters;
      return {
        tenant_id: caller.tenantId,
        key_id: keyId as string,
        scopes: scopesOf(scopes as string),
        limits: { ...quotas, burst },
        left: {
          memory_bytes: quotaState('memory_bytes', facts).left,
          storage_bytes: quotaState('storage_bytes', facts).left,
          operations_per_minute: quotaState('operations_per_minute', facts).left,
          data_transfer_bytes: quotaState('data_transfer_bytes', facts).left,
          burst: admission.burstLeft,
        },
        used: {
          memory_bytes: memoryBytes,
          entries,
          ...sessionStock(counters),
          operations,
          bytes_in: bytesIn,
          bytes_out: bytesOut,
        },
      };
    },
  };
}

/** Of a key's field, behind the minute it was used last. */
const scopesOf = (text: string) => text.slice(text.indexOf(' ')).trim().split(' ');
