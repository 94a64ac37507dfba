/** Text of lines whose last one is the digest of all before it: `{"sha256":"<hex>"}`. */
import { hash } from 'node:crypto';
import { CorruptValueError } from '../../errors.ts';

/** @param lines each with its newline. */
export const withDigest = (lines: string): string => `${lines}${digestLine(lines)}`;

/**
 * The lines before the digest, without newlines.
 * @throws {CorruptValueError} they are not those that were written.
 */
export function checkedLines(text: string): readonly string[] {
  const end = text.lastIndexOf('\n', text.length - 2) + 1;
  const lines = text.slice(0, end);
  if (lines === '' || text.slice(end) !== digestLine(lines))
    throw new CorruptValueError('The manifest of a checkpoint fails its digest');
  return lines.slice(0, -1).split('\n');
}

const digestLine = (lines: string): string => `{"sha256":"${hash('sha256', lines, 'hex')}"}\n`;
