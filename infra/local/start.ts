/**
 * `npm start`: the whole service on this machine. Options: `--fresh` (empty the data folder first), `--rest` (functions
 * use the Upstash endpoint instead of TCP), `--service <file>` (another serverless.yml). Environment: PORT,
 * RIPTIDE_DATA_DIR, RIPTIDE_ADMIN_KEY, REDIS_URL.
 */
import '../lua-hook.ts';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { LocalServiceError } from '../../lib/errors.ts';
import { banner } from './banner.ts';
import { type StackOptions, startStack } from './stack.ts';
import { waitForStopSignal } from './stop-signals.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DEFAULT_PORT = '3000';

const notify = (text: string) => console.error(`[riptide] ${text}`);

function readOptions(): StackOptions {
  const { values } = parseArgs({
    options: {
      fresh: { type: 'boolean', default: false },
      rest: { type: 'boolean', default: false },
      service: { type: 'string', default: `${ROOT}serverless.yml` },
    },
  });
  const { PORT = DEFAULT_PORT, RIPTIDE_DATA_DIR, RIPTIDE_ADMIN_KEY, REDIS_URL } = process.env;
  if (!/^\d{1,5}$/.test(PORT) || Number(PORT) > 65_535) throw new LocalServiceError('PORT: a number from 0 to 65535');
  return {
    serviceFile: values.service,
    dataDir: RIPTIDE_DATA_DIR || `${ROOT}.data`,
    port: Number(PORT),
    adminKey: RIPTIDE_ADMIN_KEY || undefined,
    redisUrl: REDIS_URL || undefined,
    useRest: values.rest,
    isFresh: values.fresh,
    onNotice: notify,
  };
}

async function main(): Promise<void> {
  const stopSignal = waitForStopSignal(() => {
    notify('Stopped without waiting');
    process.exit(1);
  });
  const stack = await startStack(readOptions());
  console.log(banner(stack, performance.now()));
  await stopSignal;
  notify('Stopping …');
  await stack.stop();
  notify('Stopped');
}

// A terminal that is gone must not end the clean stop its end has asked for.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
// One function's mistake does not take the others down: on Lambda they run apart.
process.on('unhandledRejection', (error) =>
  notify(`Unhandled rejection: ${error instanceof Error ? error.stack : error}`),
);

try {
  await main();
  process.exit(0);
} catch (error) {
  // What a person can put right is said in one line; anything else is a bug and needs its stack.
  notify(error instanceof LocalServiceError ? error.message : String(error instanceof Error ? error.stack : error));
  process.exit(1);
}
