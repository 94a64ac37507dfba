/** Lines of NDJSON in a buffer, without making text of more than one at a time. The last may lack its newline. */

const NEWLINE = 0x0a;

/** Each line without its newline, as views of `content`. */
export function* linesOf(content: Buffer): Generator<Buffer> {
  for (let from = 0; from < content.length; ) {
    const newline = content.indexOf(NEWLINE, from);
    const end = newline < 0 ? content.length : newline;
    yield content.subarray(from, end);
    from = end + 1;
  }
}

/** How many {@link linesOf} gives. */
export function countLines(content: Buffer): number {
  let lines = 0;
  for (let at = 0; at < content.length; lines++) {
    const newline = content.indexOf(NEWLINE, at);
    at = newline < 0 ? content.length : newline + 1;
  }
  return lines;
}
