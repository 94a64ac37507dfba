import type { ObjectMeta } from './object-file.ts';
import { S3Error } from './s3-error.ts';
import { innerXml, textOf } from './xml.ts';

/** A part as the list that completes an upload names it. */
export interface PartClaim {
  readonly number: number;
  /** Whether a stored part is the one meant: same ETag, and same checksums where both name them. */
  isOf(part: ObjectMeta): boolean;
}

/** Reads `<CompleteMultipartUpload>`. @throws {S3Error} 400 MalformedXML, InvalidPartOrder. */
export function parsePartList(xml: string): readonly PartClaim[] {
  const parts = innerXml(xml, 'Part').map(parsePart);
  if (parts.length === 0) throw malformed();
  const inOrder = parts.every((part, at) => at === 0 || part.number > (parts[at - 1]?.number ?? 0));
  if (!inOrder) throw new S3Error(400, 'InvalidPartOrder', 'The list of parts was not in ascending order.');
  return parts;
}

function parsePart(xml: string): PartClaim {
  const number = Number(textOf(xml, 'PartNumber'));
  const etag = textOf(xml, 'ETag')?.replaceAll('"', '');
  if (!Number.isInteger(number) || number < 1 || etag === undefined) throw malformed();
  const checksums = {
    crc32: textOf(xml, 'ChecksumCRC32'),
    sha1: textOf(xml, 'ChecksumSHA1'),
    sha256: textOf(xml, 'ChecksumSHA256'),
  };
  return {
    number,
    isOf(part) {
      const differs = (name: keyof typeof checksums) =>
        checksums[name] !== undefined && part.checksums[name] !== undefined && checksums[name] !== part.checksums[name];
      return part.etag === etag && !differs('crc32') && !differs('sha1') && !differs('sha256');
    },
  };
}

const malformed = () =>
  new S3Error(400, 'MalformedXML', 'The XML you provided was not well-formed or did not validate.');
