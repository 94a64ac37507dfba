/** What may be said on the command line of `npm run audit:verify`. */
import { parseArgs } from 'node:util';
import { HASH } from '../../lib/audit/chain.ts';
import { LocalServiceError } from '../../lib/errors.ts';

export const USAGE = `npm run audit:verify -- [--file LOG] [--part] [--head HEAD] [--save FILE]

  --file LOG   verify an export or an archived block (NDJSON; - for standard input) instead of a running service
  --part       LOG begins after the first entry; what its first line follows is believed
  --head HEAD  a head noted before, <hash> or <seq>:<hash>: it must be in the log
  --save FILE  keep what the service gave, as an export; FILE must not exist

Without --file it asks the service that RIPTIDE_URL and RIPTIDE_ADMIN_KEY name, or the one npm start runs.
Exit code: 0 intact, 1 not intact, 2 nothing was verified.`;

export interface VerifyCommand {
  /** Undefined: a running service. */
  readonly file: string | undefined;
  readonly isPart: boolean;
  readonly head: { readonly hash: string; readonly seq?: number } | undefined;
  readonly save: string | undefined;
  readonly isHelp: boolean;
}

/** @throws {LocalServiceError} an option that is unknown or does not fit. */
export function readOptions(args: readonly string[]): VerifyCommand {
  const { file, part, head, save, help } = parse(args);
  if (save !== undefined && file !== undefined)
    throw refuse('--save keeps what a service gave; --file is kept already');
  if (part && file === undefined) throw refuse('--part is for --file');
  return { file, isPart: part, head: head === undefined ? undefined : readHead(head), save, isHelp: help };
}

function readHead(text: string): { hash: string; seq?: number } {
  const [, seq, hash = ''] = /^(?:([1-9]\d{0,14}):)?(\w+)$/.exec(text) ?? [];
  if (!HASH.test(hash)) throw refuse('--head: <hash> or <seq>:<hash>, a hash is 64 hexadecimal digits in lower case');
  return seq === undefined ? { hash } : { hash, seq: Number(seq) };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        file: { type: 'string' },
        part: { type: 'boolean', default: false },
        head: { type: 'string' },
        save: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
}

const refuse = (message: string) => new LocalServiceError(`${message}\n\n${USAGE}`);
