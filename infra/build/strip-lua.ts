/** Makes a Lua script smaller for the bundle: a contract header is for readers, and a cold start should not read it. */

const BLOCK_COMMENT = /^[ \t]*--\[\[[\s\S]*?\]\][ \t]*$/gm;
const LINE_COMMENT = /^[ \t]*--.*$/gm;
const MARGINS = /^[ \t]+|[ \t]+$/gm;
const EMPTY_LINES = /\n{2,}/g;

/**
 * The script without comments that fill whole lines, without margins and empty lines; the code of each line is untouched. A
 * script with a long string (`[[…]]`) is given back as it is, since its lines may be text.
 */
export function stripLua(source: string): string {
  const code = source.replace(BLOCK_COMMENT, '').replace(LINE_COMMENT, '');
  if (/\[=*\[/.test(code)) return source;
  return code.replace(MARGINS, '').replace(EMPTY_LINES, '\n').trim();
}
