/** Meters what an instance still carries when it stops: nobody's next call will. */
import type { Keys } from '../keys.ts';
import { meterCarried } from '../redis/bindings/carried-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { runScript } from '../redis/script.ts';
import type { Gate } from './gate.ts';

/** Tenants at once. */
const WIDTH = 50;

/**
 * One call for each tenant. At most once, as everything that is carried: one whose reply is lost may be metered or not, and is not
 * tried again. Never throws; ends early when `signal` aborts.
 * @returns how many tenants it was metered of.
 */
export async function meterCarriedWork(
  deps: { readonly redis: RedisDriver; readonly keys: Keys; readonly gate: Pick<Gate, 'takeCarried'> },
  signal: AbortSignal,
): Promise<number> {
  const { redis, keys, gate } = deps;
  const left = gate.takeCarried();
  let metered = 0;
  const work = async () => {
    for (let next = left.pop(); next !== undefined && !signal.aborted; next = left.pop()) {
      const [id, args] = next;
      const call = { keys: { gate: keys.gate(id) }, args: { ...args }, kind: 'write', signal } as const;
      const isDone = await runScript(redis, meterCarried, call).catch(() => false);
      if (isDone) metered++;
    }
  };
  await Promise.all(Array.from({ length: WIDTH }, work));
  return metered;
}
