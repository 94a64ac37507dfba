/** A zip that depends on nothing but its files: same content, same bytes, whenever and wherever it is made. */
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';

// The zip format begins in 1980 and has no time zone; the middle of the year is the same day everywhere.
const FIXED_TIME = new Date(1980, 5, 15);

/** @param files name -> content. Entries are sorted by name, all with one time and one mode. */
export async function zip(files: ReadonlyMap<string, Uint8Array>): Promise<Buffer> {
  const archive = new ZipFile();
  const names = [...files.keys()].sort();
  for (const name of names) {
    const content = Buffer.from(files.get(name) ?? []);
    archive.addBuffer(content, name, { mtime: FIXED_TIME, mode: 0o100644, forceDosTimestamp: true });
  }
  archive.end();
  return buffer(archive.outputStream);
}
