/**
 * `npm run audit:verify`: whether the audit log is one unbroken chain; of a running service, or offline of an export. What
 * may be said on the command line: audit/options.ts. Exit code 0 intact, 1 not intact, 2 nothing was verified.
 */
import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type ChainVerifier, createChainVerifier, type Verdict } from '../lib/audit/verify-chain.ts';
import { LocalServiceError } from '../lib/errors.ts';
import { readOptions, USAGE, type VerifyCommand } from './audit/options.ts';
import { linesOfFile, pagesOfService } from './audit/read-lines.ts';
import { verdictText } from './audit/verdict-text.ts';
import { findService } from './demo/service.ts';

const DATA_DIR = fileURLToPath(new URL('../.data', import.meta.url));
const PROGRESS_EVERY = 10_000;

/** Never mixed into the result. */
const notify = (text: string) => console.error(`[audit] ${text}`);

function createProgress(total?: number) {
  const of = total === undefined ? '' : ` of ${total.toLocaleString('en-US')}`;
  return (done: number) => {
    if (done > 0 && done % PROGRESS_EVERY === 0) notify(`${done.toLocaleString('en-US')}${of} entries read`);
  };
}

async function verifyFile(file: string, verifier: ChainVerifier): Promise<Verdict> {
  const progress = createProgress();
  let read = 0;
  for await (const line of linesOfFile(file)) {
    if (!verifier.take(line)) break;
    progress(++read);
  }
  return verifier.end();
}

/** The head the service names first must be reached; one that was noted before is looked for as well. */
async function verifyService({ head, save }: VerifyCommand): Promise<Verdict> {
  const service = await findService(process.env, DATA_DIR);
  if (service === null) throw new LocalServiceError(`No service runs here\n\n${USAGE}`);
  const kept = save === undefined ? undefined : await openNew(save);
  const verifiers: ChainVerifier[] = [];
  try {
    let read = 0;
    let progress = createProgress();
    for await (const page of pagesOfService(service)) {
      if (verifiers.length === 0) {
        verifiers.push(createChainVerifier(page.head.seq === 0 ? {} : { head: page.head }));
        if (head !== undefined) verifiers.push(createChainVerifier({ head }));
        progress = createProgress(page.head.seq);
      }
      await kept?.appendFile(page.lines.map((line) => `${line}\n`).join(''));
      for (const line of page.lines) {
        for (const verifier of verifiers) verifier.take(line);
        progress(++read);
      }
    }
  } finally {
    await kept?.close();
  }
  const verdicts = verifiers.map((verifier) => verifier.end());
  return verdicts.find(({ ok }) => !ok) ?? (verdicts[0] as Verdict);
}

async function openNew(path: string) {
  return open(path, 'wx').catch((error: Error) => {
    throw new LocalServiceError(`--save: ${error.message}`);
  });
}

/** @returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const command = readOptions(args);
  const { file, isPart, head, isHelp } = command;
  if (isHelp) {
    console.log(USAGE);
    return 0;
  }
  const options = { ...(isPart ? { after: 'any' as const } : {}), ...(head === undefined ? {} : { head }) };
  const verdict =
    file === undefined ? await verifyService(command) : await verifyFile(file, createChainVerifier(options));
  console.log(verdictText(verdict));
  return verdict.ok ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  // What a person can put right is said in one line; anything else is a bug and needs its stack.
  notify(error instanceof LocalServiceError ? error.message : String(error instanceof Error ? error.stack : error));
  process.exitCode = 2;
}
