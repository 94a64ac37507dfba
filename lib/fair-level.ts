/** Dividing what is short. Pure. */

/**
 * The level of a max-min fair division: who wants less gets what it wants, all others get the level.
 * @param wants in any order, and the budget in their unit: bytes.
 * @returns at least 1; null: all fit.
 */
export function fairLevel(wants: readonly number[], budget: number): number | null {
  const ascending = [...wants].sort((one, other) => one - other);
  let left = budget;
  for (const [i, wanted] of ascending.entries()) {
    const others = ascending.length - i;
    if (wanted * others > left) return Math.max(1, Math.floor(left / others));
    left -= wanted;
  }
  return null;
}
