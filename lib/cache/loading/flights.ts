/** Work under way in this instance, by name: who comes while it runs waits for the same outcome. */
import { DeadlineError } from '../../errors.ts';

export interface Flight<T> {
  /**
   * Its outcome. Without a signal the work is never given up.
   * @throws what the work throws. @throws {DeadlineError} the signal aborted; the work goes on while somebody waits for it.
   */
  join(signal?: AbortSignal): Promise<T>;
}

export function createFlights<T>() {
  const flights = new Map<string, Flight<T>>();

  return {
    find: (id: string): Flight<T> | undefined => flights.get(id),

    /** Takes the place of another of this name. `work`'s signal aborts when all who joined have given up. */
    start(id: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
      const abandoned = new AbortController();
      let waiting = 0;
      const end = () => {
        if (flights.get(id) === flight) flights.delete(id);
      };
      const outcome = Promise.resolve()
        .then(() => work(abandoned.signal))
        .finally(end);
      // Who waits is told; perhaps nobody does any more.
      outcome.catch(() => undefined);

      const flight: Flight<T> = {
        join(signal) {
          waiting++;
          if (signal === undefined) return outcome;
          return untilAborted(outcome, signal, () => {
            if (--waiting > 0) return;
            end();
            abandoned.abort(signal.reason);
          });
        },
      };
      flights.set(id, flight);
      return flight;
    },
  };
}

function untilAborted<T>(outcome: Promise<T>, signal: AbortSignal, leave: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      leave();
      reject(new DeadlineError('There was not enough time to wait for the value', { retryAfterMs: 1_000 }));
    };
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    outcome.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
