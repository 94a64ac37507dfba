/** Lines of an audit log, from a file or from a service, without holding all of them. */
import { createReadStream } from 'node:fs';
import { LocalServiceError } from '../../lib/errors.ts';

/** Entries asked for at once; the most the service gives. */
const PAGE = 1_000;
const TIMEOUT_MS = 30_000;

/** Lines of NDJSON. Split at line breaks alone: other separators of Unicode may stand inside a line. */
export async function* linesOfFile(file: string): AsyncGenerator<string> {
  const stream = file === '-' ? process.stdin : createReadStream(file);
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of stream) {
      const parts = (rest + decoder.decode(chunk as Buffer, { stream: true })).split('\n');
      rest = parts.pop() ?? '';
      yield* parts;
    }
  } catch (error) {
    throw new LocalServiceError(`${file} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}

export interface Service {
  readonly url: string;
  readonly adminKey: string;
}

export interface LogPage {
  readonly lines: readonly string[];
  /** Where the log ended when the page was read. */
  readonly head: { readonly seq: number; readonly hash: string };
}

/** The log of a running service, oldest first. @throws {LocalServiceError} it does not answer, or refuses. */
export async function* pagesOfService({ url, adminKey }: Service): AsyncGenerator<LogPage> {
  let cursor: string | null = null;
  do {
    const after: string = cursor === null ? '' : `&cursor=${cursor}`;
    const response = await ask(`${url}/admin/audit?format=ndjson&order=asc&limit=${PAGE}${after}`, adminKey);
    const text = await response.text();
    if (!response.ok) throw new LocalServiceError(`${url} answered ${response.status}: ${text.slice(0, 500)}`);
    const [seq, hash = ''] = (response.headers.get('riptide-audit-head') ?? '').split(':');
    const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
    yield { lines, head: { seq: Number(seq), hash } };
    cursor = response.headers.get('riptide-next-cursor');
  } while (cursor !== null);
}

async function ask(url: string, adminKey: string): Promise<Response> {
  const init = { headers: { authorization: `Bearer ${adminKey}` }, signal: AbortSignal.timeout(TIMEOUT_MS) };
  try {
    return await fetch(url, { ...init, redirect: 'error' });
  } catch (error) {
    throw new LocalServiceError(
      `${new URL(url).origin} does not answer: ${error instanceof Error ? error.message : error}`,
    );
  }
}
