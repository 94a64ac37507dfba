/** `npm start` in another process, for tests over HTTP: a free port, a data folder of its own, stopped by its id. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const START = fileURLToPath(new URL('../../infra/local/start.ts', import.meta.url));
const READY_DEADLINE_MS = 45_000;
const END_DEADLINE_MS = 15_000;

export interface StartServiceOptions {
  /** Absent: a new temporary one, removed by `stop`. */
  readonly dataDir?: string;
  /** As `--fresh`, `--rest`, `--service`. */
  readonly args?: readonly string[];
  /** Added to this process's environment; undefined removes a name. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface RunningService {
  readonly url: string;
  readonly adminKey: string;
  readonly dataDir: string;
  readonly pid: number;
  /** `env.json`: what the functions run with, and the addresses of every part. */
  readonly settings: Readonly<Record<string, string>>;
  /** Everything it has printed so far. */
  output(): string;
  /** SIGTERM, or another signal. @returns the exit code once it has ended; null when a signal ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** SIGKILL: it cannot clean up. */
  kill(): Promise<void>;
}

/** Starts the service and waits until it is ready. @throws {Error} it ended before, or was not ready in time; with its output. */
export async function startService(options: StartServiceOptions = {}): Promise<RunningService> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'riptide-data-')));
  const child = spawnStart(dataDir, options);
  try {
    const url = await child.ready();
    const settings: Record<string, string> = JSON.parse(await readFile(join(dataDir, 'env.json'), 'utf8'));
    const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
      child.signal(signal);
      const code = await child.exited;
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
      return code;
    };
    const kill = async () => void (await stop('SIGKILL'));
    return {
      url,
      adminKey: settings.RIPTIDE_ADMIN_KEY ?? '',
      dataDir,
      pid: child.pid,
      settings,
      output: child.output,
      stop,
      kill,
    };
  } catch (error) {
    // Asked first: killed at once, it would leave its Redis behind.
    child.signal('SIGTERM');
    const force = setTimeout(() => child.signal('SIGKILL'), END_DEADLINE_MS);
    await child.exited.finally(() => clearTimeout(force));
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
    throw error;
  }
}

function spawnStart(dataDir: string, { args = [], env = {} }: StartServiceOptions) {
  const child = spawn(process.execPath, [START, ...args], {
    env: {
      ...process.env,
      REDIS_URL: undefined,
      RIPTIDE_ADMIN_KEY: undefined,
      PORT: '0',
      RIPTIDE_DATA_DIR: dataDir,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  // A test run that ends early leaves nothing behind.
  const end = () => void child.kill('SIGTERM');
  process.once('exit', end);
  void exited.then(() => process.off('exit', end));

  const ready = () =>
    new Promise<string>((resolve, reject) => {
      const fail = (what: string) => reject(new Error(`The service ${what}:\n${text}`));
      const deadline = setTimeout(() => fail('was not ready in time'), READY_DEADLINE_MS);
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line.startsWith('ready ')) resolve(line.slice('ready '.length));
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
