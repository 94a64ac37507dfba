import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { badDigest, invalidRequest, notImplemented } from './s3-error.ts';

/** The checksums this endpoint calculates itself. */
export type ChecksumName = 'crc32' | 'sha1' | 'sha256';

/** Base64 by algorithm, as in `x-amz-checksum-<name>`. */
export type Checksums = Partial<Readonly<Record<ChecksumName, string>>>;

/** What was calculated from a body. */
export interface Digests {
  readonly md5: Buffer;
  /** In every set: an object without a checksum of its own gets this one. */
  readonly crc32: string;
  readonly others: Checksums;
  /** Hex; only when the signature or a header wants it. */
  readonly sha256Hex: string | undefined;
}

const PREFIX = 'x-amz-checksum-';
const NOT_VALUES = new Set(['mode', 'type', 'algorithm']);

/**
 * The checksum algorithms a request names, by header, trailer or `x-amz-sdk-checksum-algorithm`.
 * @throws {S3Error} 501 for one that cannot be verified here: nothing is accepted unread.
 */
export function namedChecksums(headers: Readonly<Record<string, string>>): ReadonlySet<ChecksumName> {
  const named = Object.keys(headers)
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => name.slice(PREFIX.length));
  const trailer = (headers['x-amz-trailer'] ?? '').split(',').map((name) => name.trim().toLowerCase());
  const algorithm = headers['x-amz-checksum-algorithm'] ?? headers['x-amz-sdk-checksum-algorithm'];
  const all = [
    ...named.filter((name) => !NOT_VALUES.has(name)),
    ...trailer.filter((name) => name !== '').map(checksumOfTrailer),
    ...(algorithm === undefined ? [] : [algorithm.toLowerCase()]),
  ];
  return new Set(all.map(supported));
}

function checksumOfTrailer(name: string): string {
  if (!name.startsWith(PREFIX)) throw invalidRequest('Only checksums may be trailers');
  return name.slice(PREFIX.length);
}

function supported(name: string): ChecksumName {
  if (name === 'crc32' || name === 'sha1' || name === 'sha256') return name;
  throw notImplemented(`The checksum ${name}`);
}

/** Calculates while a body passes: MD5 and CRC32 always, SHA-1 and SHA-256 when asked for. */
export function createDigester(wanted: ReadonlySet<ChecksumName>, wantsSha256: boolean) {
  const md5 = createHash('md5');
  const sha1 = wanted.has('sha1') ? createHash('sha1') : undefined;
  const sha256 = wantsSha256 || wanted.has('sha256') ? createHash('sha256') : undefined;
  let crc = 0;
  return {
    update(chunk: Buffer): void {
      md5.update(chunk);
      sha1?.update(chunk);
      sha256?.update(chunk);
      crc = crc32(chunk, crc);
    },
    finish(): Digests {
      const sha256Digest = sha256?.digest();
      return {
        md5: md5.digest(),
        crc32: crc32Base64(crc),
        others: {
          ...(sha1 === undefined ? {} : { sha1: sha1.digest('base64') }),
          ...(wanted.has('sha256') && sha256Digest !== undefined ? { sha256: sha256Digest.toString('base64') } : {}),
        },
        sha256Hex: sha256Digest?.toString('hex'),
      };
    },
  };
}

/** A CRC32 as S3 writes it: four bytes, big end first, base64. */
export function crc32Base64(crc: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc);
  return bytes.toString('base64');
}

/**
 * Compares what the request says with what was calculated.
 * @param headers with trailers added.
 * @throws {S3Error} 400 BadDigest; InvalidRequest when an announced trailer did not come.
 */
export function verifyDigests(headers: Readonly<Record<string, string>>, digests: Digests): void {
  const md5 = headers['content-md5'];
  if (md5 !== undefined && md5 !== digests.md5.toString('base64')) throw badDigest('Content-MD5');
  const calculated: Checksums = { crc32: digests.crc32, ...digests.others };
  for (const name of ['crc32', 'sha1', 'sha256'] as const) {
    const said = headers[PREFIX + name];
    if (said !== undefined && said !== calculated[name]) throw badDigest(name.toUpperCase());
  }
  for (const name of (headers['x-amz-trailer'] ?? '').split(',').map((part) => part.trim().toLowerCase())) {
    if (name !== '' && headers[name] === undefined) throw invalidRequest('A trailer was announced and did not come');
  }
}

/** The checksums to keep with an object: those the request asked for, else CRC32. */
export function checksumsToKeep(digests: Digests): Checksums {
  return Object.keys(digests.others).length > 0 ? digests.others : { crc32: digests.crc32 };
}

/** Response headers for an object's checksums. */
export function checksumHeaders(checksums: Checksums): Record<string, string> {
  const entries = Object.entries(checksums).map(([name, value]) => [PREFIX + name, value] as const);
  return entries.length === 0 ? {} : { ...Object.fromEntries(entries), 'x-amz-checksum-type': 'FULL_OBJECT' };
}
