/** Counts round trips at the ports of an app: of a lost or repeated try inside a port it knows nothing. */
import type { FailpointCall, FailpointHook } from '../../lib/redis/failpoints.ts';

export type Trips = Readonly<Record<FailpointCall['port'], number>>;

export const NO_TRIPS: Trips = { redis: 0, blobs: 0, keys: 0, webhooks: 0 };

export interface TripCounter {
  /** To build the app with. */
  readonly failpoint: FailpointHook;
  /** The trips that `work` makes; nothing else may use the app meanwhile. */
  count<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly trips: Trips }>;
}

export function createTripCounter(): TripCounter {
  let trips = { ...NO_TRIPS };
  return {
    failpoint: ({ port, phase }) => {
      if (phase === 'before') trips[port]++;
    },
    async count(work) {
      trips = { ...NO_TRIPS };
      const result = await work();
      return { result, trips };
    },
  };
}
