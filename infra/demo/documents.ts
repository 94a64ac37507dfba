/** The real documents the demo stores: every README and package.json below a folder. Their bytes stay on disk. */
import { isUtf8 } from 'node:buffer';
import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

/** Bounds what is in memory: one document for each call under way. */
export const MAX_DOCUMENT_BYTES = 1_048_576;

export interface DocumentFile {
  readonly path: string;
  /** Cache key: the path below the folder. */
  readonly key: string;
  readonly sizeBytes: number;
}

export interface Library {
  readonly documents: readonly DocumentFile[];
  /** Of `documents`. */
  readonly totalBytes: number;
  /** Left out: over {@link MAX_DOCUMENT_BYTES}. */
  readonly tooLarge: number;
}

/** Finds the documents, in the order of their keys; `max` takes that many of them, evenly spread. */
export async function findDocuments(root: string, max = Number.POSITIVE_INFINITY): Promise<Library> {
  const files: DocumentFile[] = [];
  for await (const path of walk(root)) {
    const key = escapeKey(relative(root, path).split(sep).join('/'));
    files.push({ path, key, sizeBytes: (await stat(path)).size });
  }
  const small = files.filter(({ sizeBytes }) => sizeBytes <= MAX_DOCUMENT_BYTES);
  const documents = takeSpread(
    small.sort((a, b) => (a.key < b.key ? -1 : 1)),
    max,
  );
  const totalBytes = documents.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return { documents, totalBytes, tooLarge: files.length - small.length };
}

export interface LoadedDocument {
  readonly bytes: Buffer;
  readonly contentType: string;
}

/** Reads one; its content type says JSON only where it is. */
export async function loadDocument({ path, key }: DocumentFile): Promise<LoadedDocument> {
  const bytes = await readFile(path);
  return { bytes, contentType: contentTypeOf(key, bytes) };
}

/** `count` of the items, from the first to the last. */
export function takeSpread<T>(items: readonly T[], count: number): readonly T[] {
  if (count >= items.length) return items;
  const step = items.length / count;
  return Array.from({ length: count }, (_, n) => items[Math.floor(n * step)] as T);
}

async function* walk(folder: string): AsyncGenerator<string> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else if (isDocument(entry)) yield path;
  }
}

const isDocument = (entry: Dirent) =>
  entry.isFile() && (entry.name === 'package.json' || entry.name.startsWith('README'));

/** What a path of HTTP cannot carry, percent-encoded; the percent sign too, so that two files never share a key. */
const escapeKey = (path: string) =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is escaped
  path.replace(/[%?#\x00-\x1f\x7f]/g, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`);

function contentTypeOf(key: string, bytes: Buffer): string {
  if (!isUtf8(bytes)) return 'application/octet-stream';
  if (key.endsWith('.json')) return isJson(bytes) ? 'application/json' : 'text/plain; charset=utf-8';
  return key.endsWith('.md') ? 'text/markdown; charset=utf-8' : 'text/plain; charset=utf-8';
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}
