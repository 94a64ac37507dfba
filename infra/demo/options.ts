/** What may be said on the command line of `npm run demo`. */
import { parseArgs } from 'node:util';
import { LocalServiceError } from '../../lib/errors.ts';

export const USAGE = `npm run demo -- [--documents N] [--json] [--keep]

  --documents N  take N of the documents below node_modules, evenly spread (default: all)
  --json         print one JSON object instead of progress and tables
  --keep         leave the tenants, and the documents of two of them (they expire after an hour)

Shows plans, quotas, reservations, limits, policies, encryption, key rotation, webhooks, usage, a bill and the audit log with
tenants of its own, checks every claim, and deletes them again. Exit code 0; 1 when a claim does not hold; 130 after Ctrl-C.

It uses the service that RIPTIDE_URL and RIPTIDE_ADMIN_KEY name, or the one npm start runs, or starts one itself.`;

export interface DemoOptions {
  /** Undefined: all there are. */
  readonly maxDocuments: number | undefined;
  readonly isJson: boolean;
  readonly isKept: boolean;
  readonly isHelp: boolean;
}

/** @throws {LocalServiceError} an unknown option, or a number that is none. */
export function readOptions(args: readonly string[]): DemoOptions {
  const values = parse(args);
  const { documents } = values;
  if (documents !== undefined && !/^[1-9]\d{0,6}$/.test(documents)) {
    throw new LocalServiceError(`--documents: a whole number from 1\n\n${USAGE}`);
  }
  return {
    maxDocuments: documents === undefined ? undefined : Number(documents),
    isJson: values.json,
    isKept: values.keep,
    isHelp: values.help,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        documents: { type: 'string' },
        json: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    throw new LocalServiceError(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  }
}
