import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The S3 endpoint in a process of its own, so that it can be killed. */
export interface S3Process {
  readonly url: string;
  /** SIGKILL; resolves when it is gone, also when it was already. */
  kill(): Promise<void>;
}

const MODULE = fileURLToPath(new URL('../../infra/local/s3/start-s3-endpoint.ts', import.meta.url));
const SCRIPT = `const { startS3Endpoint } = await import(${JSON.stringify(MODULE)});
console.log((await startS3Endpoint(JSON.parse(process.argv[1]))).url);`;

/** Starts it and waits for its URL. @throws when it ends first. */
export async function startS3Process(options: {
  dir: string;
  accessKeyId: string;
  secretAccessKey: string;
}): Promise<S3Process> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', SCRIPT, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await firstLine(child);
  return {
    url,
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the process has no output');
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error('the S3 endpoint ended before it was ready');
}
