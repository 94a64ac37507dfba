/** What the demo's sessions hold: real documents, whole. */
import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import type { DocumentFile } from '../../documents.ts';

/** Larger ones are no sessions: those left are about 4 KB each. */
const MAX_TEXT_BYTES = 32_768;

/** A session takes six times as much, sealed. */
const BUDGET_PER_SESSION = 1_000;
const MIN_BUDGET_BYTES = 131_072;

export interface Text {
  readonly path: string;
  readonly text: string;
  readonly bytes: number;
}

/** One session of the demo; the same number is always the same one. */
export interface SampleSession {
  readonly userId: string;
  readonly data: { readonly n: number; readonly document: { readonly path: string; readonly text: string } };
}

/** Reads those that fit into a session and are text. */
export async function readTexts(documents: readonly DocumentFile[]): Promise<readonly Text[]> {
  const texts: Text[] = [];
  for (const { path, key, sizeBytes } of documents) {
    if (sizeBytes > MAX_TEXT_BYTES) continue;
    const bytes = await readFile(path);
    if (isUtf8(bytes)) texts.push({ path: key, text: bytes.toString('utf8'), bytes: bytes.length });
  }
  return texts.length > 0 ? texts : [{ path: 'README', text: 'a document', bytes: 10 }];
}

/** The session of this number: the texts go round, and so do the users. */
export function sampleSession(texts: readonly Text[], n: number, users: number): SampleSession {
  const { path, text } = textOf(texts, n);
  return { userId: userOf(n, users), data: { n, document: { path, text } } };
}

/** Of Redis, for a service that is to hold so many sessions: a small part of what they take. */
export const sessionBudgetBytes = (sessions: number): number =>
  Math.max(MIN_BUDGET_BYTES, sessions * BUDGET_PER_SESSION);

/** Whose session `n` is. */
export const userOf = (n: number, users: number): string => `user-${n % users}`;

/** What sessions 0 to `count` - 1 hold of documents, bytes. */
export function documentBytes(texts: readonly Text[], count: number): number {
  let sum = 0;
  for (let n = 0; n < count; n++) sum += textOf(texts, n).bytes;
  return sum;
}

const textOf = (texts: readonly Text[], n: number) => texts[n % texts.length] as Text;
