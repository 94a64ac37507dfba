/** What may be said on the command line of `npm run bench`. */
import { parseArgs } from 'node:util';
import { LocalServiceError } from '../../lib/errors.ts';

export const USAGE = `npm run bench -- [--runs N] [--only NAME] [--full]

  --runs N     1 to 9 (default: 3); 1 is a quick look
  --only NAME  the suites with that in their name; results/latest.json stays as it is
  --full       as much data as the promises name, a million sessions; minutes longer, and results/latest.json stays, too`;

export interface BenchOptions {
  readonly runs: number;
  /** Empty: all suites. */
  readonly only: string;
  /** As much data as the promises name; else what fits in the time of a build. */
  readonly isFull: boolean;
}

/** @returns null: the person asks for {@link USAGE}. @throws {LocalServiceError} an unknown option, or a number out of range. */
export function readBenchOptions(args: readonly string[]): BenchOptions | null {
  const { runs, only, full, help } = parse(args);
  if (!/^[1-9]$/.test(runs)) throw new LocalServiceError(`--runs: a whole number from 1 to 9\n\n${USAGE}`);
  return help ? null : { runs: Number(runs), only, isFull: full };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        runs: { type: 'string', default: '3' },
        only: { type: 'string', default: '' },
        full: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    throw new LocalServiceError(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  }
}
