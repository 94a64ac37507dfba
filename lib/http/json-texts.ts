/** Parts of a JSON text, cut out as they stand: no number is rounded, no escape rewritten, no space lost. Pure. */

/**
 * The members of an object by their names, each as the text of its value. Of a name given twice the last counts.
 * @param json valid JSON of an object.
 */
export function memberTexts(json: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  let name: string | undefined;
  let depth = 0;
  let start = 0;
  for (let i = 0; i < json.length; i++) {
    const char = json.charCodeAt(i);
    if (char === QUOTE) {
      const end = endOfString(json, i);
      if (depth === 1 && name === undefined) name = JSON.parse(json.slice(i, end));
      i = end - 1;
    } else if (char === OPEN_OBJECT || char === OPEN_ARRAY) depth++;
    else if (depth === 1 && char === COLON) start = i + 1;
    else if (depth === 1 && (char === COMMA || char === CLOSE_OBJECT)) {
      if (name !== undefined) members.set(name, json.slice(start, i).trim());
      name = undefined;
      if (char === CLOSE_OBJECT) return members;
    } else if (char === CLOSE_OBJECT || char === CLOSE_ARRAY) depth--;
  }
  return members;
}

/** Of names and the texts of their values. */
export const objectText = (members: Iterable<readonly [string, string]>): string =>
  `{${Array.from(members, ([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`;

const [QUOTE, BACKSLASH, COLON, COMMA] = [34, 92, 58, 44];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY] = [123, 125, 91, 93];

/** Index after the closing quote. */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); ; end = json.indexOf('"', end + 1)) {
    let slashes = 0;
    while (json.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end + 1;
  }
}
