/** The commands of a document, as a reader runs them: its `sh` blocks, in one shell, one after the other. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BLOCK = /^```sh\n(.*?)^```$/gms;

export async function readShBlocks(document: string): Promise<readonly string[]> {
  const text = await readFile(`${ROOT}${document}`, 'utf8');
  return [...text.matchAll(BLOCK)].map(([, commands = '']) => commands);
}

export interface ShRun {
  readonly code: number | null;
  /** Both streams, in the order they came. */
  readonly output: string;
}

/** What a guide has started does not outlive it, and a command that fails is named. */
const TRAPS = `trap 'echo "failed: $BASH_COMMAND" >&2' ERR\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n`;

/** Ends at the first command that fails. In the repository's folder. */
export async function runSh(script: string, env: Readonly<Record<string, string>>): Promise<ShRun> {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', TRAPS + script], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
}
