/** What a zip holds, read from its central directory. */
export interface ZipEntry {
  readonly name: string;
  /** Bytes unpacked. */
  readonly size: number;
  /** DOS date and time, as stored. */
  readonly modified: number;
}

const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;

/** @throws {Error} it is not a zip without a comment and of less than 4 GiB. */
export function zipEntries(zip: Buffer): readonly ZipEntry[] {
  const end = zip.length - END_BYTES;
  if (end < 0 || zip.readUInt32LE(end) !== END_SIGNATURE) throw new Error('Not a zip, or one with a comment');
  const count = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  return Array.from({ length: count }, () => {
    const nameBytes = zip.readUInt16LE(at + 28);
    const entry = {
      name: zip.toString('utf8', at + 46, at + 46 + nameBytes),
      size: zip.readUInt32LE(at + 24),
      modified: zip.readUInt32LE(at + 12),
    };
    at += 46 + nameBytes + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
    return entry;
  });
}
