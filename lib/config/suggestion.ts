/** Finds the name that was probably meant. */

/** Longer names are not compared: nobody mistypes them, and the cost is quadratic. */
const LONGEST_COMPARED = 80;

/** The candidate nearest to `name`, or undefined when none is near. Both may hold dots; ties go to the first. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  if (name.length > LONGEST_COMPARED) return undefined;
  const allowed = Math.max(2, Math.floor(name.length / 5));
  const scored = candidates.map((candidate) => ({ candidate, distance: distance(name, candidate, allowed) }));
  const best = scored.reduce((a, b) => (b.distance < a.distance ? b : a), { candidate: '', distance: allowed + 1 });
  return best.distance <= allowed ? best.candidate : sameEnding(name, candidates);
}

/** `, did you mean "x"?`, or nothing. */
export function didYouMean(name: string, candidates: readonly string[]): string {
  const found = nearest(name, candidates);
  return found === undefined ? '' : `; did you mean ${found}?`;
}

/** A right name in the wrong group, or without its unit: `cache.pool_size`, `cache.default_ttl`. */
function sameEnding(name: string, candidates: readonly string[]): string | undefined {
  const last = name.slice(name.lastIndexOf('.') + 1);
  if (last.length < 3) return undefined;
  const unitOnly = candidates.find((candidate) => candidate.startsWith(`${name}_`));
  return unitOnly ?? candidates.find((candidate) => candidate.endsWith(`.${last}`));
}

/** Levenshtein distance by rows; gives up as soon as the lengths alone say it is beyond `limit`. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [row, letter] of [...a].entries()) {
    const current = [row + 1];
    for (const [column, other] of [...b].entries()) {
      const replaced = (previous[column] ?? 0) + (letter === other ? 0 : 1);
      current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
