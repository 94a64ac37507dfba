/** Where values come from when the cache has none: slow, perhaps down, and it counts how often it is asked. */
import { setTimeout as delay } from 'node:timers/promises';

const LOAD_MS = 150;

export function createSlowSource(value: Uint8Array) {
  let loads = 0;
  return {
    /** How often it was asked for the value. */
    loads: () => loads,
    async load(signal: AbortSignal): Promise<Uint8Array> {
      loads++;
      await delay(LOAD_MS, undefined, { signal });
      return value;
    },
  };
}
