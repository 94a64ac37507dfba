/** The first code unit that is part of a surrogate pair. */
const SURROGATES_FROM = 0xd800;
/** In texts of one byte a character V8 finds none without looking. */
const FROM_SURROGATES = /[\ud800-\uffff]/;
/** What comes behind them in UTF-16, and before them in UTF-8. */
const BEYOND_SURROGATES = 0xe000;

/**
 * Compares two well-formed texts as Redis compares their bytes: by UTF-8. JavaScript's own order differs where a pair of
 * surrogates (above U+FFFF) meets a character from U+E000 on.
 * @returns below 0, 0 or above 0.
 */
export function compareUtf8(left: string, right: string): number {
  if (left === right) return 0;
  // Both orders agree wherever one of the two characters is below them.
  if (!FROM_SURROGATES.test(left) || !FROM_SURROGATES.test(right)) return left < right ? -1 : 1;
  const shorter = Math.min(left.length, right.length);
  for (let at = 0; at < shorter; at++) {
    const [a, b] = [left.charCodeAt(at), right.charCodeAt(at)];
    if (a !== b) return a < SURROGATES_FROM || b < SURROGATES_FROM ? a - b : rankOf(a) - rankOf(b);
  }
  return left.length - right.length;
}

/** Surrogates behind all others. */
const rankOf = (unit: number): number => (unit < BEYOND_SURROGATES ? unit + 0x10000 : unit);
