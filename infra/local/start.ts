/** `npm start`: the whole service on this machine. Options and environment: start-options.ts. */
import '../lua-hook.ts';
import { LocalServiceError } from '../../lib/errors.ts';
import { describeShutdown, isClean } from '../../lib/shutdown/shutdown-report.ts';
import { banner } from './banner.ts';
import { type Stack, startStack } from './stack.ts';
import { readStartOptions, USAGE } from './start-options.ts';
import { waitForStopSignal } from './stop-signals.ts';

const notify = (text: string) => console.error(`[riptide] ${text}`);

/** @returns the exit code. */
async function main(): Promise<number> {
  const options = readStartOptions(process.argv.slice(2), process.env);
  if (options === null) {
    console.log(USAGE);
    return 0;
  }
  const stopSignal = waitForStopSignal(() => {
    notify('Stopped without waiting');
    process.exit(1);
  });
  let isStopping = false;
  const stopping = stopSignal.then(() => {
    isStopping = true;
    notify('Stopping …');
  });
  const stack = await startStack({ ...options, onNotice: notify });
  if (!isStopping) announce(stack);
  await stopping;
  const report = await stack.stop();
  // For programs; a person reads the next line.
  if (!process.stdout.isTTY) console.log(`stopped ${JSON.stringify(report)}`);
  notify(`Stopped: ${describeShutdown(report)}`);
  return isClean(report) ? 0 : 1;
}

function announce(stack: Stack): void {
  console.log(banner(stack, performance.now()));
  // For programs; a person has read it above.
  if (!process.stdout.isTTY) console.log(`ready ${stack.url}`);
}

// A terminal that is gone must not end the clean stop its end has asked for.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
// One function's mistake does not take the others down: on Lambda they run apart.
process.on('unhandledRejection', (error) =>
  notify(`Unhandled rejection: ${error instanceof Error ? error.stack : error}`),
);

try {
  process.exit(await main());
} catch (error) {
  // What a person can put right is said in one line; anything else is a bug and needs its stack.
  notify(error instanceof LocalServiceError ? error.message : String(error instanceof Error ? error.stack : error));
  process.exit(1);
}
