/** Room for a few at a time; who comes when there is none waits, and the first comes first. */
export interface Slots {
  /** Waits for room. @returns gives it back; again, it does nothing. */
  take(): Promise<() => void>;
}

export function createSlots(count: number): Slots {
  const waiting: (() => void)[] = [];
  let free = count;

  const giveBack = () => {
    const next = waiting.shift();
    if (next === undefined) free++;
    else next();
  };

  return {
    async take() {
      if (free > 0) free--;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      let isMine = true;
      return () => {
        if (isMine) giveBack();
        isMine = false;
      };
    },
  };
}
