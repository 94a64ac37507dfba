/** Work that goes on after what started it was answered: a stop waits for it. On Lambda there is none. */

export interface Background {
  /** Its outcome is its own business. */
  track(work: Promise<unknown>): void;
  /** Resolves when none is under way, what it starts meanwhile included. */
  settled(): Promise<void>;
}

export function createBackground(): Background {
  const working = new Set<Promise<unknown>>();
  return {
    track(work) {
      const ended = work.catch(() => undefined).finally(() => working.delete(ended));
      working.add(ended);
    },
    async settled() {
      while (working.size > 0) await Promise.all(working);
    },
  };
}

/** One for each process: whoever stops it does not know who works in it. */
export const background = createBackground();
