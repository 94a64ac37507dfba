/** Runs a built function as Lambda does: a fresh process, only Lambda's environment, one event, a deadline. */
import { fork } from 'node:child_process';
import { basename, join } from 'node:path';

export interface Invocation {
  /** The built function's folder. */
  readonly dir: string;
  readonly event: unknown;
  /** Settings of the function; nothing of this process's environment is passed. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

export interface Invoked {
  /** What the handler returned. */
  readonly reply?: unknown;
  /** What the handler threw. */
  readonly error?: string;
  /** Time of importing the bundle. */
  readonly initMs: number;
  /** What was written to stdout and stderr. */
  readonly log: string;
}

export interface Instance extends Invoked {
  /** Sends SIGTERM. @returns how the process ended. */
  end(): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

/** @throws {Error} the process ended or the time was up before the handler answered; the message holds its log. */
export async function invokeBundle(invocation: Invocation): Promise<Invoked> {
  const { child, ...invoked } = await invoke(invocation, false);
  child.kill('SIGKILL');
  return invoked;
}

/** As invokeBundle, but the instance then waits for events that do not come. The caller ends it. */
export async function startInstance(invocation: Invocation): Promise<Instance> {
  const { child, ...invoked } = await invoke(invocation, true);
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  );
  const end = () => {
    child.kill('SIGTERM');
    return ended;
  };
  return { ...invoked, end };
}

async function invoke({ dir, event, env = {}, timeoutMs = 20_000 }: Invocation, stays: boolean) {
  const child = fork(join(import.meta.dirname, 'lambda-bootstrap.ts'), {
    cwd: dir,
    env: { ...lambdaEnvironment(dir), ...env },
    execArgv: [],
    silent: true,
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (log += chunk));
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  try {
    const answer = await new Promise<string>((resolve, reject) => {
      child.once('message', (message) => resolve(String(message)));
      child.once('exit', (code, signal) =>
        reject(new Error(`${basename(dir)} ended with ${signal ?? code} before it answered\n${log}`)),
      );
      child.send({ dir, event, timeoutMs, stays });
    });
    return { ...(JSON.parse(answer) as Omit<Invoked, 'log'>), log, child };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

const lambdaEnvironment = (dir: string): Record<string, string> => ({
  AWS_REGION: 'us-east-1',
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_LAMBDA_FUNCTION_NAME: `riptide-test-${basename(dir)}`,
  AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '1024',
  AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
  LAMBDA_TASK_ROOT: dir,
  TZ: ':UTC',
});
