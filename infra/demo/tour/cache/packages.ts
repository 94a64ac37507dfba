/** Real documents as entries of a cache: in the packages they come from, and as what a batch takes. */
import { type DocumentFile, loadDocument } from '../../documents.ts';

/** One entry of a batch or of a warm-up. */
export interface Item {
  readonly key: string;
  readonly value_base64: string;
  readonly content_type: string;
  readonly tags: string[];
}

/** So that a call stays below what a body may have, and a reply too. */
const MAX_CHUNK_BYTES = 2_000_000;

/** Encodes the documents; each has the tag of its package. */
export async function toItems(documents: readonly DocumentFile[]): Promise<readonly Item[]> {
  return Promise.all(
    documents.map(async (file) => {
      const { bytes, contentType } = await loadDocument(file);
      const value = { value_base64: bytes.toString('base64'), content_type: contentType };
      return { key: file.key, ...value, tags: [tagOf(file.key)] };
    }),
  );
}

/** `package:` and the name of the package a document is of; the innermost where packages are nested. */
export function tagOf(key: string): string {
  const [first = '', second = ''] = (key.split('/node_modules/').at(-1) ?? key).split('/');
  const name = first.startsWith('@') ? `${first}/${second}` : first;
  return `package:${name.replace(/[^\x21-\x2b\x2d-\x7e]/g, '_')}`;
}

/** In calls of at most `max` items. */
export function* inChunks(items: readonly Item[], max: number): Generator<readonly Item[]> {
  let chunk: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    if (chunk.length === max || (chunk.length > 0 && bytes + item.value_base64.length > MAX_CHUNK_BYTES)) {
      yield chunk;
      [chunk, bytes] = [[], 0];
    }
    chunk.push(item);
    bytes += item.value_base64.length;
  }
  if (chunk.length > 0) yield chunk;
}

/** The tag most of them have. */
export function commonestTag(items: readonly Item[]): string {
  const counts = new Map<string, number>();
  for (const { tags } of items) for (const tag of tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return [...counts].reduce((most, next) => (next[1] > most[1] ? next : most))[0];
}
