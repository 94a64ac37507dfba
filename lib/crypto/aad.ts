/** What a sealed value is bound to: moved elsewhere, it does not open. */

const FORMAT = 'riptide1';
/** The separator, the escape itself, and lone surrogates: UTF-8 has one and the same byte sequence for all of those. */
const ESCAPED = /[\0%]|\p{Surrogate}/gu;

/**
 * `riptide1\0<tenant>\0<kind>\0<name>\0…` as UTF-8. Two lists of parts never give the same bytes, whatever is in them.
 * @param parts any text; the tenant and the kind of the value come first.
 */
export function aadOf(parts: readonly string[]): Buffer {
  return Buffer.from([FORMAT, ...parts.map(escapePart)].join('\0'));
}

const escapePart = (part: string): string => part.replace(ESCAPED, toHex);
const toHex = (char: string): string => `%${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
