/** Calls of many at once, of which some are held back until others were made: as networks and frozen instances do. */
export interface Traffic {
  /** Runs one of the many. */
  during<T>(work: () => Promise<T>): Promise<T>;
  /** A call is made. */
  passed(): void;
  /** Waits until so many calls of others were made, or nobody else goes on. */
  holdBack(calls: number): Promise<void>;
}

export function createTraffic(): Traffic {
  const waiting: { readonly until: number; readonly go: () => void }[] = [];
  let made = 0;
  let running = 0;

  const wake = () => {
    waiting.sort((one, other) => one.until - other.until);
    for (let first = waiting[0]; first && (first.until <= made || waiting.length === running); first = waiting[0]) {
      waiting.shift();
      first.go();
    }
  };

  return {
    async during(work) {
      running++;
      try {
        return await work();
      } finally {
        running--;
        wake();
      }
    },
    passed() {
      made++;
      wake();
    },
    holdBack(calls) {
      return new Promise<void>((go) => {
        waiting.push({ until: made + calls, go });
        wake();
      });
    },
  };
}
