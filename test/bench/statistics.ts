/** The arithmetic of the bench. Pure. */

/** Smallest and largest of the rounds. */
export interface Spread {
  readonly min: number;
  readonly max: number;
}

/**
 * The value below which a share of the numbers lies (nearest rank).
 * @param share 0 to 1; 0.5 is the median of an odd count.
 * @throws {RangeError} there are no numbers.
 */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new RangeError('No numbers to rank');
  return value;
}

/** The middle number; of an even count the mean of the two in the middle. @throws {RangeError} there are no numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  if (upper === undefined || lower === undefined) throw new RangeError('No numbers to rank');
  // 0 and -0 rank alike, in any order: their median is 0.
  return (lower + upper) / 2 + 0;
}

/** @throws {RangeError} there are no numbers. */
export function spreadOf(numbers: readonly number[]): Spread {
  if (numbers.length === 0) throw new RangeError('No numbers to rank');
  return { min: Math.min(...numbers), max: Math.max(...numbers) };
}

/**
 * `ours` against `theirs`, round by round: both sides of a ratio were measured next to each other, so what slows the
 * machine for a while slows both.
 * @throws {RangeError} the sides do not have the same rounds.
 */
export function ratiosOf(ours: readonly number[], theirs: readonly number[]): readonly number[] {
  if (ours.length !== theirs.length) throw new RangeError('The sides were measured in different rounds');
  return ours.map((value, round) => value / (theirs[round] as number));
}
