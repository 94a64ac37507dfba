/** Names in a JSON text that readers disagree about, and that `JSON.parse` hides. */

/**
 * The first name given twice in one object (some readers take the first, some the last), or `__proto__` (some set a
 * prototype); undefined when there is none.
 * @param json valid JSON.
 */
export function findUnsafeName(json: string): string | undefined {
  const open: (Set<string> | null)[] = [];
  for (let i = 0; i < json.length; i++) {
    const char = json[i];
    if (char === '{') open.push(new Set());
    else if (char === '[') open.push(null);
    else if (char === '}' || char === ']') open.pop();
    else if (char === '"') {
      const end = endOfString(json, i);
      const names = open.at(-1);
      if (names && isName(json, end)) {
        const name: string = JSON.parse(json.slice(i, end));
        if (name === '__proto__' || names.has(name)) return name;
        names.add(name);
      }
      i = end - 1;
    }
  }
  return undefined;
}

/** Index after the closing quote. */
function endOfString(json: string, start: number): number {
  let i = start + 1;
  while (i < json.length && json[i] !== '"') i += json[i] === '\\' ? 2 : 1;
  return i + 1;
}

const COLON = /\s*:/y;

function isName(json: string, end: number): boolean {
  COLON.lastIndex = end;
  return COLON.test(json);
}
