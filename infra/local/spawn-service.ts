/** `npm start` in another process: for tools that need a running service, and stop it by its id when they are done. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { LocalServiceError } from '../../lib/errors.ts';

const START = fileURLToPath(new URL('start.ts', import.meta.url));
const READY_DEADLINE_MS = 45_000;
const END_DEADLINE_MS = 15_000;

export interface SpawnServiceOptions {
  readonly dataDir: string;
  /** As `--fresh`, `--rest`, `--service`. */
  readonly args?: readonly string[];
  /** Added to this process's environment; undefined removes a name. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Keeps the terminal's Ctrl-C from it: this process then stops it when it has done with it. Default false. */
  readonly hasOwnGroup?: boolean;
}

export interface SpawnedService {
  readonly url: string;
  readonly pid: number;
  /** `env.json`: what the functions run with, and the addresses of every part. */
  readonly settings: Readonly<Record<string, string>>;
  /** Everything it has printed so far. */
  output(): string;
  /** SIGTERM, or another signal. @returns the exit code once it has ended; null when a signal ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/**
 * Starts the service on a free port and waits until it is ready. Redis and the admin key are its own unless `env` says
 * otherwise.
 * @throws {LocalServiceError} it ended before, or was not ready in time; with its output. It is stopped then.
 */
export async function spawnService(options: SpawnServiceOptions): Promise<SpawnedService> {
  const child = spawnStart(options);
  const stop = (signal: NodeJS.Signals = 'SIGTERM') => {
    child.signal(signal);
    return child.exited;
  };
  try {
    const url = await child.ready();
    const settings: Record<string, string> = JSON.parse(await readFile(join(options.dataDir, 'env.json'), 'utf8'));
    return { url, pid: child.pid, settings, output: child.output, stop };
  } catch (error) {
    // Asked first: killed at once, it would leave its Redis behind.
    const force = setTimeout(() => child.signal('SIGKILL'), END_DEADLINE_MS);
    await stop().finally(() => clearTimeout(force));
    throw error;
  }
}

function spawnStart({ dataDir, args = [], env = {}, hasOwnGroup = false }: SpawnServiceOptions) {
  const own = { REDIS_URL: undefined, RIPTIDE_ADMIN_KEY: undefined, PORT: '0', RIPTIDE_DATA_DIR: dataDir };
  const child = spawn(process.execPath, [START, ...args], {
    env: { ...process.env, ...own, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: hasOwnGroup,
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  // A process that ends early leaves nothing behind.
  const end = () => void child.kill('SIGTERM');
  process.once('exit', end);
  void exited.then(() => process.off('exit', end));

  const ready = () =>
    new Promise<string>((resolve, reject) => {
      const fail = (what: string) => reject(new LocalServiceError(`The service ${what}:\n${text}`));
      const deadline = setTimeout(() => fail('was not ready in time'), READY_DEADLINE_MS);
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (!line.startsWith('ready ')) return;
        clearTimeout(deadline);
        resolve(line.slice('ready '.length));
      });
      void exited.then((code) => fail(`ended with ${code}`)).finally(() => clearTimeout(deadline));
    });
  return {
    pid: child.pid ?? 0,
    exited,
    ready,
    output: () => text,
    signal: (name: NodeJS.Signals) => void child.kill(name),
  };
}
