/** Removes many entries of a namespace: one round trip for every 100; each trip is one operation. */
import type { AppError } from '../../errors.ts';
import type { Caller } from '../../gate/caller.ts';
import type { Gate } from '../../gate/gate.ts';
import { allows } from '../../gate/policies.ts';
import type { Keys } from '../../keys.ts';
import { deleteCacheEntries } from '../../redis/bindings/cache-batch-scripts.ts';
import { operationId, resourceOf } from '../entry-call.ts';
import { checkBatch, inTrips, sendInTurn } from './batch-rules.ts';

export type RemoveItem =
  | { readonly key: string; readonly status: 'deleted' | 'absent' }
  | { readonly key: string; readonly status: 'error'; readonly error: AppError };

export type BatchRemover = ReturnType<typeof createBatchRemover>;

export function createBatchRemover({ gate, keys }: { readonly gate: Gate; readonly keys: Keys }) {
  return {
    /**
     * Removes them, in their order. Trips go one after another; when one fails, its items and those behind it have its error.
     * @param operation the same again is a replay: it tells what the first one removed.
     * @throws {InvalidRequestError} no batch. @throws what the first trip throws.
     */
    async deleteMany(
      caller: Caller,
      namespace: string,
      asked: readonly string[],
      options: { readonly operation?: string } = {},
    ): Promise<readonly RemoveItem[]> {
      checkBatch(namespace, asked);
      const operation = operationId(options.operation);
      const send = async (trip: readonly string[]): Promise<readonly RemoveItem[]> => {
        const names = trip.map((key) => ({ namespace, key }));
        const { found } = await gate.run(caller, {
          script: deleteCacheEntries,
          scope: 'cache:write',
          kind: 'write',
          allowed: (policies, who) =>
            asked.every((key) => allows(policies, { ...who, resource: resourceOf({ namespace, key }) })),
          keys: ({ generation }) => ({
            index: keys.index(caller.tenantId, generation),
            records: [
              ...names.map((name) => keys.cacheEntry(caller.tenantId, generation, name)),
              ...names.map((name) => keys.lease(caller.tenantId, generation, name)),
            ],
          }),
          args: () => ({ op: `${operation}${asked.indexOf(trip[0] as string)}` }),
        });
        const digits = String(found[0]);
        return trip.map((key, place) => ({ key, status: digits[place] === '1' ? 'deleted' : 'absent' }));
      };
      return sendInTurn(
        inTrips(asked, ({ length }) => length),
        send,
        (key, error): RemoveItem => ({ key, status: 'error', error }),
      );
    },
  };
}
