/** Everything `npm start` runs, started in order and stopped in the reverse one. */
import { randomBytes, randomUUID } from 'node:crypto';
import { LocalServiceError } from '../../lib/errors.ts';
import type { ShutdownReport } from '../../lib/shutdown/shutdown-report.ts';
import { checkMasterKey } from './check-master-key.ts';
import { createBucket } from './create-bucket.ts';
import { obtainAdminKey } from './data/admin-key.ts';
import { type DataDir, openDataDir } from './data/data-dir.ts';
import {
  alertSettings,
  applySettings,
  encryptionSettings,
  handlerSettings,
  REGION,
  type StackAddresses,
} from './handler-settings.ts';
import { createInvoker } from './host/invoke.ts';
import { type Host, startHost } from './host.ts';
import { DEFAULT_ALIAS, startKmsEndpoint } from './kms/start-kms-endpoint.ts';
import { findRedisTrouble } from './redis/redis-url.ts';
import { createRunsAtOnce, type RunsAtOnce } from './runs-at-once.ts';
import { startS3Endpoint } from './s3/start-s3-endpoint.ts';
import { startSchedules } from './schedules.ts';
import { readServiceMap, type ScheduleEntry, type ServiceMap } from './service-map.ts';
import { SPILL_SESSIONS, withSpillClock } from './spill-clock.ts';
import { watchStackConfig } from './stack-config-watch.ts';
import { createStackShutdown } from './stack-shutdown.ts';
import { superviseRedis } from './supervise-redis.ts';
import { startUpstashEndpoint } from './upstash/start-upstash-endpoint.ts';

export interface StackOptions {
  /** serverless.yml */
  readonly serviceFile: string;
  readonly dataDir: string;
  /** 0: a free one. */
  readonly port: number;
  /** Undefined: the one kept in the data folder. */
  readonly adminKey: string | undefined;
  /** Undefined: the stack starts a Redis of its own. */
  readonly redisUrl: string | undefined;
  /** The functions use the Upstash endpoint instead of TCP. */
  readonly useRest: boolean;
  readonly isFresh: boolean;
  /** Told what the person at the terminal should know. */
  readonly onNotice: (text: string) => void;
}

export interface Stack {
  readonly url: string;
  readonly adminKey: string;
  readonly dataDir: string;
  readonly redisUrl: string;
  /** Ends what is under way as far as the time for it goes (lib/shutdown), then stops every part. @returns how that went. */
  stop(): Promise<ShutdownReport>;
}

/** As infra/functions.yml names it. */
const CLEAN_UP = 'schedulesCleanUp';
const RUN_JOBS = 'schedulesRunJobs';

/**
 * Starts the stack; when one part fails, those before it are stopped again.
 * @throws {LocalServiceError} the data folder or the port is in use, a part does not start, or the master key is another one.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const parts = new AsyncDisposableStack();
  try {
    const map = await readServiceMap(options.serviceFile);
    const data = await openDataDir(options.dataDir, options);
    parts.defer(() => data.release());
    const addresses = await startStores(options, data, parts);
    const settings = {
      ...handlerSettings(addresses, options.useRest),
      ...alertSettings(addresses.adminKey, process.env),
      ...encryptionSettings(addresses.kms, process.env),
    };
    applySettings(settings, process.env);
    await checkMasterKey(process.env, options.onNotice);
    const { host, shutdown } = await startFunctions(options, map, parts);
    await data.writeSettings({ ...settings, RIPTIDE_URL: host.url, RIPTIDE_ADMIN_KEY: addresses.adminKey });
    const { adminKey, redisUrl } = addresses;
    const stop = async () => {
      await parts.disposeAsync();
      return shutdown();
    };
    return { url: host.url, adminKey, redisUrl, dataDir: data.path, stop };
  } catch (error) {
    await parts.disposeAsync();
    throw error;
  }
}

async function startStores(options: StackOptions, data: DataDir, parts: AsyncDisposableStack): Promise<StackAddresses> {
  const adminKey = await obtainAdminKey(options.adminKey, data.at('admin-key'));
  const credentials = { accessKeyId: `local-${randomUUID()}`, secretAccessKey: randomBytes(24).toString('base64url') };
  const s3 = await startS3Endpoint({ dir: data.at('s3'), region: REGION, ...credentials });
  parts.defer(() => s3.stop());
  await createBucket({ url: s3.url, ...credentials });
  const kms = await startKmsEndpoint({ dir: data.at('kms'), region: REGION, ...credentials });
  parts.defer(() => kms.stop());
  const redisUrl = options.redisUrl ?? (await startOwnRedis(options, data, parts));
  const trouble = options.redisUrl === undefined ? null : await findRedisTrouble(redisUrl);
  if (trouble !== null) options.onNotice(trouble);
  const token = randomBytes(24).toString('base64url');
  const rest = await startUpstashEndpoint({ redisUrl, token });
  parts.defer(() => rest.stop());
  return {
    adminKey,
    redisUrl,
    rest: { url: rest.url, token },
    s3: { url: s3.url, ...credentials },
    kms: { url: kms.url, keyId: DEFAULT_ALIAS },
  };
}

async function startOwnRedis(options: StackOptions, data: DataDir, parts: AsyncDisposableStack): Promise<string> {
  const redis = await superviseRedis({ dir: data.at('redis'), onNotice: options.onNotice });
  parts.defer(() => redis.stop());
  return redis.url;
}

async function startFunctions(options: StackOptions, map: ServiceMap, parts: AsyncDisposableStack): Promise<Functions> {
  const { onNotice, port } = options;
  const onError = (name: string, error: unknown) => onNotice(`Function ${name} failed: ${describeError(error)}`);
  const host = await startHost({ routes: map.routes, port, onError }).catch((error: unknown) => {
    throw isPortTaken(error) ? portTaken(port) : error;
  });
  // Loaded only now: its scripts are read through a hook, its settings from the environment prepared above.
  const { getApp, loadedApp } = await import('../../lib/app.ts');
  const schedules = startSchedules<ScheduleEntry>({
    schedules: await withSpillClock(map.schedules, process.env, () => loadedApp()?.config.spillover.intervalMs),
    // What has expired meanwhile goes, what was used last comes back into memory, and long work goes on.
    atStart: ({ name }) => name === CLEAN_UP || name === RUN_JOBS,
    run: (schedule, event) => createInvoker(schedule.function).invoke(event, randomUUID()),
    onError: (schedule, error) => onError(schedule.name, error),
  });
  const jobs = startJobRuns(map, onError);
  const shutdown = await createStackShutdown({
    drain: host.stop,
    endRuns: () => Promise.all([schedules.stop(), jobs.stop()]),
    loadedApp,
    environment: process.env,
    onNotice,
  });
  parts.defer(async () => void (await shutdown()));
  parts.defer(watchStackConfig({ getApp, environment: process.env, onNotice }));
  const { hostRuns } = await import('../../lib/jobs/host-runs.ts');
  parts.defer(hostRuns.register('spill-sessions', () => schedules.runNow(SPILL_SESSIONS)));
  parts.defer(hostRuns.register('run-jobs', jobs.start));
  return { host, shutdown };
}

interface Functions {
  readonly host: Host;
  readonly shutdown: () => Promise<ShutdownReport>;
}

/** Passes over the jobs when one is started, beside those by the clock. */
function startJobRuns({ schedules }: ServiceMap, onError: (name: string, error: unknown) => void): RunsAtOnce {
  const schedule = schedules.find(({ name }) => name === RUN_JOBS);
  const invoker = schedule && createInvoker(schedule.function);
  return createRunsAtOnce({
    run: async () => invoker?.invoke({ 'detail-type': 'Started at once' }, randomUUID()),
    onError: (error) => onError(RUN_JOBS, error),
  });
}

function isPortTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}

function portTaken(port: number): LocalServiceError {
  return new LocalServiceError(
    `Port ${port} is in use: stop what uses it, or choose another one, as in PORT=${port + 1} npm start`,
  );
}

/** With its stack: it is the person at the terminal who has to find the fault. */
function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
