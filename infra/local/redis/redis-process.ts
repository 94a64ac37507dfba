/** The server as a child process: started apart from the terminal, its output in a file, stopped with a deadline. */
import { type ChildProcess, spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type RedisServer, serverEnvironment } from './find-redis.ts';

const STOP_DEADLINE_MS = 10_000;
const LOG_LINES = 15;

export interface RedisProcess {
  readonly pid: number;
  hasExited(): boolean;
  /** The end of what it printed since it was started. */
  lastLogLines(): Promise<string>;
  /** SIGTERM, which makes Redis write what it holds; SIGKILL after 10 s. Once it is gone this does nothing. */
  stop(): Promise<void>;
}

/**
 * Runs the server with these arguments, in a process group of its own: Ctrl-C in a terminal reaches every process of the
 * group, and must not end Redis before its owner has flushed. It ends when this process exits.
 * @throws {Error} the program cannot be executed.
 */
export async function spawnRedis(start: {
  server: RedisServer;
  args: readonly string[];
  dir: string;
}): Promise<RedisProcess> {
  const logFile = join(start.dir, 'redis.log');
  const log = await open(logFile, 'w');
  const child = spawn(start.server.path, start.args, {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: serverEnvironment(start.server),
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject)).finally(() =>
    log.close(),
  );
  endWithThisProcess(child);
  return {
    pid: child.pid ?? 0,
    hasExited: () => hasExited(child),
    lastLogLines: async () => (await readFile(logFile, 'utf8')).trimEnd().split('\n').slice(-LOG_LINES).join('\n'),
    async stop() {
      if (hasExited(child)) return;
      child.kill('SIGTERM');
      const kill = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
      await exited.finally(() => clearTimeout(kill));
    },
  };
}

function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

const running = new Set<ChildProcess>();

function endWithThisProcess(child: ChildProcess): void {
  if (running.size === 0) process.on('exit', endAll);
  running.add(child);
  child.once('exit', () => {
    running.delete(child);
    if (running.size === 0) process.off('exit', endAll);
  });
}

function endAll(): void {
  for (const child of running) child.kill('SIGTERM');
}
