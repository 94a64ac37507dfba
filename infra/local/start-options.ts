/** What may be said to `npm start`: on the command line, and by the environment. */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { LocalServiceError } from '../../lib/errors.ts';
import { checkRedisUrl } from './redis/redis-url.ts';
import type { StackOptions } from './stack.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DEFAULT_PORT = '3000';

export const USAGE = `npm start -- [--fresh] [--rest] [--service FILE]

  --fresh         empty the data folder first
  --rest          the functions reach Redis over the Upstash REST API, as on Lambda, instead of over TCP
  --service FILE  another serverless.yml

Environment: PORT (${DEFAULT_PORT}), RIPTIDE_DATA_DIR (.data), RIPTIDE_ADMIN_KEY (16 characters or more; else one is made and kept),
REDIS_URL (use that Redis instead of starting one).`;

export type StartOptions = Omit<StackOptions, 'onNotice'>;

/**
 * @returns null: the person asks for {@link USAGE}.
 * @throws {LocalServiceError} an option that there is not, or a value that cannot be used.
 */
export function readStartOptions(args: readonly string[], environment: NodeJS.ProcessEnv): StartOptions | null {
  refuseWhatNpmKept(environment);
  const values = parse(args);
  if (values.help) return null;
  const { PORT = DEFAULT_PORT, RIPTIDE_DATA_DIR, RIPTIDE_ADMIN_KEY, REDIS_URL } = environment;
  if (!/^\d{1,5}$/.test(PORT) || Number(PORT) > 65_535) throw new LocalServiceError('PORT: a number from 0 to 65535');
  return {
    serviceFile: values.service,
    dataDir: RIPTIDE_DATA_DIR || `${ROOT}.data`,
    port: Number(PORT),
    adminKey: RIPTIDE_ADMIN_KEY || undefined,
    redisUrl: REDIS_URL ? checkRedisUrl(REDIS_URL) : undefined,
    useRest: values.rest,
    isFresh: values.fresh,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        fresh: { type: 'boolean', default: false },
        rest: { type: 'boolean', default: false },
        service: { type: 'string', default: `${ROOT}serverless.yml` },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    throw new LocalServiceError(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  }
}

/** npm takes what stands before `--` for its own and says nothing: the old data would be served as if it were fresh. */
function refuseWhatNpmKept(environment: NodeJS.ProcessEnv): void {
  for (const name of ['fresh', 'rest', 'service']) {
    if (!environment[`npm_config_${name}`]) continue;
    throw new LocalServiceError(`npm kept --${name} for itself: put -- before it, as in npm start -- --${name}`);
  }
}
