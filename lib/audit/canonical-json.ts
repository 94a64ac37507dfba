/** One text for one value, so that a digest of it can be made again anywhere: RFC 8785, as far as audit entries need it. */

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/**
 * Names sorted by UTF-16 code units, no spaces, fields that are undefined left out.
 * @throws {RangeError} a number that readers would not agree about: not finite, or whole and above 2^53.
 */
export function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'number') return numberText(value);
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const fields = Object.entries(value as Readonly<Record<string, JsonValue | undefined>>)
    .filter((field): field is [string, JsonValue] => field[1] !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonicalJson(field)}`);
  return `{${fields.join(',')}}`;
}

function numberText(value: number): string {
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
    throw new RangeError('Not a number that JSON keeps exactly');
  return JSON.stringify(value);
}
