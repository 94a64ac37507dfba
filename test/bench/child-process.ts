/** Processes of the bench's own: servers that must not share the client's event loop, and loops that want a whole process. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const DEADLINE_MS = 45_000;

export interface BenchProcess {
  /** What it said in its first line, JSON. */
  readonly said: unknown;
  /** SIGTERM, and waits for its end. */
  stop(): Promise<void>;
}

export interface ProcessOptions {
  /** Absolute path of the module. */
  readonly file: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Until its first line. Default: 45 s. */
  readonly patienceMs?: number;
}

/**
 * Starts a module in a process of its own, under this very Node, and waits for its first line.
 * @throws {Error} it ended, or said nothing in time; with what it wrote to stderr.
 */
export async function startProcess({
  file,
  args = [],
  env = {},
  patienceMs = DEADLINE_MS,
}: ProcessOptions): Promise<BenchProcess> {
  const child = spawn(process.execPath, [file, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const endWithBench = () => void child.kill('SIGKILL');
  process.once('exit', endWithBench);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  void ended.then(() => process.off('exit', endWithBench));
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const firstLine = new Promise<string>((resolve, reject) => {
    const fail = (how: string) => reject(new Error(`${file} ${how}\n${errors}`));
    const deadline = setTimeout(() => fail('said nothing in time'), patienceMs);
    createInterface({ input: child.stdout }).once('line', resolve);
    void ended.then(() => fail('ended before it said anything')).finally(() => clearTimeout(deadline));
    child.once('error', (error) => fail(error.message));
  });
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  try {
    return { said: JSON.parse(await firstLine), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Runs a module that says one line and ends. @returns what it said. @throws as {@link startProcess}. */
export async function runProcess(options: ProcessOptions): Promise<unknown> {
  const child = await startProcess(options);
  await child.stop();
  return child.said;
}
