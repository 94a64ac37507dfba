/**
 * Of a host that is there all the time: looks at configuration files, and at the one in S3, and has a changed one taken. It
 * polls: editors write beside a file and rename, folders come and go, and what a poll costs is nothing.
 */
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { BlobStore } from '../blobs/store.ts';
import { CONFIG_FILE } from '../keys.ts';
import type { FileOutcome, Reload } from './reload.ts';

export interface ConfigWatchDeps {
  readonly reload: Pick<Reload, 'takeFile' | 'takeStored'>;
  readonly blobs: Pick<BlobStore, 'head'>;
  /** The file the deployment has started with; empty: none. It may have changed since its last start, so it is taken at once. */
  readonly ownFile: string;
  /** Files, or folders with a persistence.yml, whose changes from now on are taken. */
  readonly watched: readonly string[];
  readonly onError: (error: unknown) => void;
}

const EVERY_MS = 500;
/** The file in S3: every fourth time. */
const STORED_EVERY = 4;
/** Before one that could not be taken is tried again. */
const AGAIN_MS = 10_000;

interface Watched {
  readonly path: string;
  /** What was seen last, and what was taken last. */
  last: string;
  taken: string;
  againAtMs: number;
}

/** Starts at once. @returns how to stop: no file is taken after that. */
export function startConfigWatch({ reload, blobs, ownFile, watched, onError }: ConfigWatchDeps) {
  const own = ownFile === '' ? null : resolve(ownFile);
  const files = new Map<string, Watched>();
  let storedEtag: string | undefined;
  let polls = 0;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;

  const take = async (file: Watched, mark: string): Promise<void> => {
    const text = await readFile(file.path, 'utf8');
    // Half-written: it is another file by now.
    if ((await markOf(file.path)) !== mark || isStopped) return;
    const name = file.path.slice(file.path.lastIndexOf('/') + 1);
    const outcome: FileOutcome = await reload.takeFile({ source: 'file', text, name });
    if (outcome !== 'waits') file.taken = mark;
  };

  const lookAt = async (path: string, isFirst: boolean): Promise<void> => {
    const mark = await markOf(path);
    if (mark === null) return;
    const isKnown = isFirst && path !== own;
    const file = files.get(path) ?? { path, last: mark, taken: isKnown ? mark : '', againAtMs: 0 };
    files.set(path, file);
    const isStill = file.last === mark;
    file.last = mark;
    if (mark === file.taken || !isStill || Date.now() < file.againAtMs) return;
    file.againAtMs = Date.now() + AGAIN_MS;
    await take(file, mark);
    if (file.taken === mark) file.againAtMs = 0;
  };

  const lookAtStored = async (): Promise<void> => {
    const etag = (await blobs.head(CONFIG_FILE))?.etag ?? '';
    if (etag === storedEtag) return;
    const { outcome } = await reload.takeStored();
    if (outcome !== 'waits') storedEtag = etag;
  };

  const poll = async (isFirst: boolean): Promise<void> => {
    const paths = new Set([...(own === null ? [] : [own]), ...(await Promise.all(watched.map(fileOf)))]);
    const looks = [
      ...[...paths].map((path) => lookAt(path, isFirst)),
      ...(polls++ % STORED_EVERY ? [] : [lookAtStored()]),
    ];
    for (const look of await Promise.allSettled(looks)) if (look.status === 'rejected') onError(look.reason);
  };

  const run = async (isFirst: boolean): Promise<void> => {
    await poll(isFirst);
    if (!isStopped) timer = setTimeout(go, EVERY_MS);
  };
  let running = run(true);
  const go = () => {
    running = run(false);
  };

  return {
    async stop(): Promise<void> {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}

/** Tells two states of a file apart; null: it is not there, or is none. */
async function markOf(path: string): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  return found?.isFile() ? `${found.ino},${found.mtimeMs},${found.size}` : null;
}

async function fileOf(path: string): Promise<string> {
  const isFolder = (await stat(path).catch(() => null))?.isDirectory() === true;
  return resolve(isFolder ? join(path, 'persistence.yml') : path);
}
