/** `npm start` in another process, for tests over HTTP: a free port, a data folder of its own, stopped by its id. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SpawnedService, type SpawnServiceOptions, spawnService } from '../../infra/local/spawn-service.ts';

export interface StartServiceOptions extends Pick<SpawnServiceOptions, 'args' | 'env'> {
  /** Absent: a new temporary one, removed by `stop`. */
  readonly dataDir?: string;
}

export interface RunningService extends SpawnedService {
  readonly adminKey: string;
  readonly dataDir: string;
  /** SIGKILL: it cannot clean up. */
  kill(): Promise<void>;
}

/** Starts the service and waits until it is ready. @throws {LocalServiceError} it ended before, or was not ready in time; with its output. */
export async function startService(options: StartServiceOptions = {}): Promise<RunningService> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'riptide-data-')));
  const removeOwn = async () => {
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
  };
  try {
    const service = await spawnService({ ...options, dataDir });
    const stop = async (signal?: NodeJS.Signals) => {
      const code = await service.stop(signal);
      await removeOwn();
      return code;
    };
    const kill = async () => void (await stop('SIGKILL'));
    return { ...service, adminKey: service.settings.RIPTIDE_ADMIN_KEY ?? '', dataDir, stop, kill };
  } catch (error) {
    await removeOwn();
    throw error;
  }
}
