/** The service the demo runs against: a running one, or its own. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '../../lib/client/client.ts';
import { LocalServiceError } from '../../lib/errors.ts';
import { spawnService } from '../local/spawn-service.ts';
import type { ServiceAddress } from './tenant.ts';

const ANSWER_DEADLINE_MS = 3_000;

/** Where a service on this machine keeps its objects. */
export interface DemoBucket {
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface DemoService extends ServiceAddress {
  /** Started here, on an empty folder that `stop` removes. */
  readonly isOwn: boolean;
  /** Of a service on this machine, to look at what it stores; null: not known. */
  readonly redisUrl: string | null;
  /** The same of its S3. */
  readonly bucket: DemoBucket | null;
  stop(): Promise<void>;
}

interface Environment {
  readonly RIPTIDE_URL?: string | undefined;
  readonly RIPTIDE_ADMIN_KEY?: string | undefined;
  readonly RIPTIDE_DATA_DIR?: string | undefined;
}

/**
 * Finds the service that RIPTIDE_URL names, or the one that runs on the data folder; null when none runs there.
 * @throws {LocalServiceError} the one that is named does not answer, or its admin key is missing.
 */
export async function findService(environment: Environment, defaultDataDir: string): Promise<DemoService | null> {
  const { RIPTIDE_URL: url, RIPTIDE_ADMIN_KEY: adminKey, RIPTIDE_DATA_DIR } = environment;
  if (url) {
    if (!adminKey) throw new LocalServiceError('RIPTIDE_URL is set: set RIPTIDE_ADMIN_KEY to its admin key, too');
    if (await answers(url)) return { url, adminKey, isOwn: false, redisUrl: null, bucket: null, stop: async () => {} };
    throw new LocalServiceError(`No service answers at RIPTIDE_URL (${url})`);
  }
  const running = await readRunning(join(RIPTIDE_DATA_DIR || defaultDataDir, 'env.json'));
  if (running === null || !(await answers(running.url))) return null;
  return { ...running, isOwn: false, stop: async () => {} };
}

/** Starts one in another process, on a new folder and a free port. @throws {LocalServiceError} it does not start. */
export async function startOwnService(settings: Readonly<Record<string, string>>): Promise<DemoService> {
  const dataDir = await mkdtemp(join(tmpdir(), 'riptide-demo-'));
  const removeData = () => rm(dataDir, { recursive: true, force: true });
  try {
    const service = await spawnService({ dataDir, hasOwnGroup: true, env: settings });
    const stop = async () => {
      await service.stop();
      await removeData();
    };
    const { RIPTIDE_ADMIN_KEY: adminKey = '', RIPTIDE_LOCAL_REDIS_URL: redisUrl = null } = service.settings;
    return { url: service.url, adminKey, redisUrl, bucket: readBucket(service.settings), isOwn: true, stop };
  } catch (error) {
    await removeData();
    throw error;
  }
}

/** As a running stack has left it; one that was killed leaves it behind, so it may lead nowhere. */
async function readRunning(file: string): Promise<(ServiceAddress & Pick<DemoService, 'redisUrl' | 'bucket'>) | null> {
  try {
    const settings: Record<string, unknown> = JSON.parse(await readFile(file, 'utf8'));
    const { RIPTIDE_URL: url, RIPTIDE_ADMIN_KEY: adminKey, RIPTIDE_LOCAL_REDIS_URL: redis } = settings;
    if (typeof url !== 'string' || typeof adminKey !== 'string') return null;
    return { url, adminKey, redisUrl: typeof redis === 'string' ? redis : null, bucket: readBucket(settings) };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new LocalServiceError(`${file} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
}

/** null: the settings do not say all of it. */
function readBucket(settings: Readonly<Record<string, unknown>>): DemoBucket | null {
  const read = (name: string) => (typeof settings[name] === 'string' ? settings[name] : null);
  const endpoint = read('PERSISTENCE_BLOBS_ENDPOINT');
  const bucket = read('PERSISTENCE_BLOBS_BUCKET');
  const region = read('PERSISTENCE_BLOBS_REGION');
  const [accessKeyId, secretAccessKey] = [read('AWS_ACCESS_KEY_ID'), read('AWS_SECRET_ACCESS_KEY')];
  if (!endpoint || !bucket || !region || !accessKeyId || !secretAccessKey) return null;
  return { endpoint, bucket, region, credentials: { accessKeyId, secretAccessKey } };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await createClient({ baseUrl: url, timeoutMs: ANSWER_DEADLINE_MS }).checkLive()).ok;
  } catch (error) {
    if (error instanceof TypeError) throw new LocalServiceError(`RIPTIDE_URL: ${error.message}`);
    throw error;
  }
}
