/**
 * What clients that work at once did to a cache, and what a read may therefore find. Each call began and ended at a tick; what it
 * did happened somewhere between. A call that failed may have been done or not. Pure.
 */

/** One value that may have been stored. */
export interface Write {
  readonly id: string;
  readonly value: Buffer;
  readonly tags: readonly string[];
  /** It never expires. */
  readonly lasting: boolean;
  readonly start: number;
  end: number;
  /** It was stored for certain, some time between. */
  sure: boolean;
  /** Of a load: when it began. What was done from then on, for certain, keeps its value from being seen. */
  loadedAt?: number;
}

/** Something that takes entries away, perhaps. */
export interface Removal {
  readonly start: number;
  end: number;
  sure: boolean;
  /** Whether a value stored before it is not seen after it. */
  hides(write: Write): boolean;
  /** Whether the entry may be gone by it. */
  mayRemove(id: string): boolean;
}

export type CacheHistory = ReturnType<typeof createCacheHistory>;

const NEVER = Number.POSITIVE_INFINITY;

/** @param evicts entries may be gone at any time. */
export function createCacheHistory({ evicts }: { readonly evicts: boolean }) {
  const writes = new Map<string, Write[]>();
  const byText = new Map<string, Write>();
  const removals: Removal[] = [];
  const increments = new Map<string, { start: number; end: number; sure: boolean }[]>();
  let tick = 0;
  let names = 0;

  const writesOf = (id: string) => writes.get(id) ?? [];
  const incrementsOf = (id: string) => increments.get(id) ?? [];
  const settledAt = ({ end, loadedAt }: Write) => Math.min(end, loadedAt ?? NEVER);

  const isWhole = (id: string, value: Buffer): boolean => {
    const write = byText.get(textOf(value));
    return write !== undefined && write.id === id && write.value.equals(value);
  };

  return {
    now: () => ++tick,
    /** The beginning of a value that no other has. */
    newText: () => `w${++names};`,

    write(write: Omit<Write, 'start' | 'end' | 'sure'>): Write {
      const added: Write = { ...write, start: ++tick, end: NEVER, sure: false };
      writes.set(write.id, [...writesOf(write.id), added]);
      byText.set(textOf(write.value), added);
      return added;
    },
    /** It changed nothing, for certain. */
    unwrite(write: Write): void {
      writes.set(
        write.id,
        writesOf(write.id).filter((one) => one !== write),
      );
      byText.delete(textOf(write.value));
    },
    removal(removal: Pick<Removal, 'hides' | 'mayRemove'>): Removal {
      const added = { ...removal, start: ++tick, end: NEVER, sure: false };
      removals.push(added);
      return added;
    },
    increment(id: string) {
      const added = { start: ++tick, end: NEVER, sure: false };
      increments.set(id, [...incrementsOf(id), added]);
      return added;
    },

    /** Whether the value is one that was written to this entry, at any time. */
    isWhole,

    /** Why a read from `start` on cannot have found this value; null: it can. */
    whyNotSeen(id: string, value: Buffer, start: number): string | null {
      const end = ++tick;
      const write = byText.get(textOf(value));
      if (write === undefined) return `nobody wrote ${textOf(value)}`;
      if (!isWhole(id, value)) return `${textOf(value)} is another value, or of ${write.id}`;
      const at = settledAt(write);
      const hidden = (by: { start: number; end: number; sure: boolean }) => by.sure && by.start > at && by.end < start;
      const over = writesOf(id).find((other) => other !== write && other.loadedAt === undefined && hidden(other));
      if (over !== undefined) return `${told(write)} was written over by ${told(over)}, and seen at ${start} to ${end}`;
      const removal = removals.find((one) => hidden(one) && one.hides(write));
      if (removal === undefined) return null;
      return `${told(write)} was removed at ${removal.start} to ${removal.end}, and seen at ${start} to ${end}`;
    },

    /** Why a read, or the removal `own`, from `start` on cannot have found nothing; null: it can. */
    whyNotMissed(id: string, start: number, own?: Removal): string | null {
      const end = ++tick;
      if (evicts) return null;
      const after = (write: Write, by: { start: number; end: number }) => by.end > write.start && by.start < end;
      const stays = writesOf(id).find(
        (write) =>
          write.sure &&
          write.lasting &&
          write.end < start &&
          !writesOf(id).some((other) => !other.lasting && after(write, other)) &&
          !removals.some((removal) => removal !== own && removal.mayRemove(id) && after(write, removal)),
      );
      return stays === undefined ? null : `${textOf(stays.value)} was there`;
    },

    /** Why a number, of increments by 1, cannot have been found by what began at `start`; null: it can. */
    whyNotCounted(id: string, number: number, start: number): string | null {
      const end = ++tick;
      const all = incrementsOf(id).filter((one) => one.start < end);
      if (number > all.length) return `${number} is more than the ${all.length} increments there were`;
      const reset = Math.max(
        0,
        ...removals.filter((one) => one.mayRemove(id) && one.start < end).map((one) => one.end),
      );
      const least = evicts ? 0 : all.filter((one) => one.sure && one.start > reset && one.end < start).length;
      return number < least ? `${number} is less than the ${least} that were made` : null;
    },
  };
}

const told = ({ value, loadedAt, start, end, lasting }: Write): string =>
  `${textOf(value)} (${loadedAt === undefined ? 'set' : 'loaded'} at ${start} to ${end}${lasting ? ', lasting' : ''})`;

const textOf = (value: Buffer): string => value.subarray(0, Math.max(0, value.indexOf(';'))).toString('latin1');
