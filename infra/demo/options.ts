/** What may be said on the command line of `npm run demo`. */
import { parseArgs } from 'node:util';
import { LocalServiceError } from '../../lib/errors.ts';

export const USAGE = `npm run demo -- [--documents N] [--sessions N] [--json] [--keep]

  --documents N  take N of the documents below node_modules, evenly spread (default: all)
  --sessions N   begin N sessions, far more than the Redis of a service of its own may hold (default: 20000)
  --json         print one JSON object instead of progress and tables
  --keep         leave the tenants, the sessions of some and the documents of two (they expire after an hour)

Shows plans, quotas, reservations, limits, policies, encryption, key rotation, webhooks, sessions, usage, a bill and the audit
log with tenants of its own, checks every claim, and deletes them again. Exit code 0; 1 when a claim does not hold; 130 after
Ctrl-C.

It uses the service that RIPTIDE_URL and RIPTIDE_ADMIN_KEY name, or the one npm start runs, or starts one itself.`;

const DEFAULT_SESSIONS = 20_000;
/** So that each user has some. */
const MIN_SESSIONS = 100;

export interface DemoOptions {
  /** Undefined: all there are. */
  readonly maxDocuments: number | undefined;
  readonly sessions: number;
  readonly isJson: boolean;
  readonly isKept: boolean;
  readonly isHelp: boolean;
}

/** @throws {LocalServiceError} an unknown option, or a number that is none. */
export function readOptions(args: readonly string[]): DemoOptions {
  const values = parse(args);
  const { documents, sessions } = values;
  return {
    maxDocuments: documents === undefined ? undefined : readNumber('documents', documents, 1),
    sessions: sessions === undefined ? DEFAULT_SESSIONS : readNumber('sessions', sessions, MIN_SESSIONS),
    isJson: values.json,
    isKept: values.keep,
    isHelp: values.help,
  };
}

function readNumber(name: string, text: string, min: number): number {
  if (/^[1-9]\d{0,6}$/.test(text) && Number(text) >= min) return Number(text);
  throw new LocalServiceError(`--${name}: a whole number from ${min}\n\n${USAGE}`);
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        documents: { type: 'string' },
        sessions: { type: 'string' },
        json: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    throw new LocalServiceError(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  }
}
