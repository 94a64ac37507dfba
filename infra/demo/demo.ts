/**
 * `npm run demo`: the service at its main job, on real documents, with every claim checked. What may be said on the
 * command line: options.ts. Exit code 0; 1 when a claim does not hold or no service can be had; 130 after Ctrl-C.
 */
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { LocalServiceError } from '../../lib/errors.ts';
import { waitForStopSignal } from '../local/stop-signals.ts';
import { BrokenClaimError } from './claims.ts';
import { findDocuments } from './documents.ts';
import { readOptions, USAGE } from './options.ts';
import { createProgress, noProgress } from './progress.ts';
import { formatReport } from './report.ts';
import type { Paint } from './report-table.ts';
import { runDemo } from './run-demo.ts';
import { findService, startOwnService } from './service.ts';
import { sessionBudgetBytes } from './tour/sessions/texts.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const INTERRUPTED = 130;
const WHAT_TO_DO =
  'What to do: without a running service the demo starts one of its own on empty data; if that works, look at the data and the ' +
  'settings of yours (npm run config), else it is a fault of this version. PERSISTENCE_LOG_LEVEL=info logs each refusal.';

/** What the person at the terminal should know meanwhile; never mixed into the result. */
const notify = (text: string) => console.error(`[demo] ${text}`);
/** NO_COLOR and a stream that is no terminal are heeded by styleText itself. */
const paint: Paint = (style, text) => styleText(style, text, { stream: process.stdout });

async function main(args: readonly string[], signal: AbortSignal): Promise<void> {
  const { maxDocuments, sessions, isJson, isKept, isHelp } = readOptions(args);
  if (isHelp) return console.log(USAGE);
  const service = (await findService(process.env, `${ROOT}.data`)) ?? (await startOwn(sessions));
  try {
    const library = await findDocuments(`${ROOT}node_modules`, maxDocuments);
    notify(`${library.documents.length} documents, two tenants, ${service.url}`);
    const openProgress = isJson ? () => noProgress : createProgress;
    const onAct = isJson ? () => {} : (title: string) => notify(`${title} …`);
    const summary = await runDemo({ service, library, sessions, isKept, openProgress, onAct, signal });
    console.log(isJson ? JSON.stringify(summary, null, 2) : formatReport(summary, paint));
  } finally {
    await service.stop();
  }
}

function startOwn(sessions: number) {
  notify('No service runs here: starting one for the demo …');
  return startOwnService({ PERSISTENCE_SPILLOVER_MAX_MEMORY_BYTES: String(sessionBudgetBytes(sessions)) });
}

/** @returns the exit code that tells of it. */
function report(error: unknown, signal: AbortSignal): number {
  if (signal.aborted) {
    notify('Stopped');
    return INTERRUPTED;
  }
  if (error instanceof BrokenClaimError) notify(`A claim does not hold: ${error.message}\n${WHAT_TO_DO}`);
  // What a person can put right is said in one line; anything else is a bug and needs its stack.
  else if (error instanceof LocalServiceError) notify(error.message);
  else notify(String(error instanceof Error ? error.stack : error));
  return 1;
}

const stop = new AbortController();
void waitForStopSignal(() => process.exit(INTERRUPTED)).then(() => {
  notify('Stopping …');
  stop.abort();
});
// A reader that has gone must not end the clean stop.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

try {
  await main(process.argv.slice(2), stop.signal);
  process.exit(0);
} catch (error) {
  process.exit(report(error, stop.signal));
}
