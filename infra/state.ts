/**
 * `npm run state`: checkpoints from the terminal. What may be said on the command line: state/options.ts. Exit code 0 done,
 * 1 damaged or failed, 2 nothing was done, 130 the job was left to itself.
 */
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { createClient } from '../lib/client/client.ts';
import { LocalServiceError } from '../lib/errors.ts';
import { findService } from './demo/service.ts';
import { JobFailedError, LeftAloneError } from './state/follow-job.ts';
import { readOptions, USAGE } from './state/options.ts';
import { runCommand, type Terminal } from './state/run-command.ts';

const DATA_DIR = fileURLToPath(new URL('../.data', import.meta.url));

async function ask(question: string): Promise<string | null> {
  if (!process.stdin.isTTY) return null;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C instead of an answer is none.
  const refused = new AbortController();
  lines.once('SIGINT', () => refused.abort());
  try {
    return await lines.question(question, { signal: refused.signal });
  } catch {
    return '';
  } finally {
    lines.close();
  }
}

/** Ctrl-C, once: what is followed goes on. */
function leaveSignal(): AbortSignal {
  const leaving = new AbortController();
  process.once('SIGINT', () => leaving.abort());
  return leaving.signal;
}

/** @returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const command = readOptions(args);
  if (command === null) {
    console.log(USAGE);
    return 0;
  }
  const service = await findService(process.env, DATA_DIR);
  if (service === null) throw new LocalServiceError(`No service runs here\n\n${USAGE}`);
  const terminal: Terminal = {
    client: createClient({ baseUrl: service.url, key: service.adminKey, retries: 3 }),
    screen: {
      isTerminal: process.stderr.isTTY === true && !command.isPlain,
      columns: process.stderr.columns || 80,
      write: (text) => void process.stderr.write(text),
    },
    signal: leaveSignal(),
    print: (text) => console.log(text),
    ask,
  };
  return runCommand(command, terminal);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  // What a person can put right is said in one line; anything else is a bug and needs its stack.
  const isTold =
    error instanceof LocalServiceError || error instanceof LeftAloneError || error instanceof JobFailedError;
  console.error(`[state] ${isTold ? error.message : String(error instanceof Error ? error.stack : error)}`);
  process.exitCode = error instanceof LeftAloneError ? 130 : error instanceof JobFailedError ? 1 : 2;
}
