import { createHash, randomUUID } from 'node:crypto';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createDirectorySync } from './directory-sync.ts';
import { createKeyIndex, type IndexEntry, type KeyIndex } from './key-index.ts';
import {
  createObjectWriter,
  type ObjectMeta,
  type ObjectWriter,
  type OpenObject,
  openObjectFile,
  readObjectMeta,
} from './object-file.ts';
import { noSuchKey, S3Error } from './s3-error.ts';
import { STANDARD, STORAGE_CLASS } from './storage-class.ts';

/** Refuses a write by throwing; sees what is there now, or undefined. */
export type WriteCondition = (current: { readonly etag: string } | undefined) => void;

const BUCKET_NAME = /^(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const OPEN_FILES_AT_START = 64;

/**
 * Buckets as directories, objects as files named by the SHA-256 of their key: no key can name another place. The index of
 * keys is held in memory and read from the files at start. One process owns a directory.
 */
export async function openBucketStore(directory: string) {
  const staging = join(directory, 'staging');
  const home = join(directory, 'buckets');
  // What was not renamed before the last end was never acknowledged.
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { recursive: true });
  await mkdir(home, { recursive: true });
  const syncDirectory = createDirectorySync();
  const buckets = new Map<string, KeyIndex>();
  for (const name of await readdir(home)) buckets.set(name, await readIndex(join(home, name)));

  const indexOf = (bucket: string): KeyIndex => {
    const index = buckets.get(bucket);
    if (index === undefined) throw new S3Error(404, 'NoSuchBucket', 'The specified bucket does not exist');
    return index;
  };
  const fileOf = (bucket: string, key: string) => join(home, bucket, createHash('sha256').update(key).digest('hex'));

  return {
    bucketNames: (): readonly string[] => [...buckets.keys()].sort(),

    /** The keys of a bucket. @throws {S3Error} NoSuchBucket. */
    indexOf,

    /** @throws {S3Error} 400 for a name S3 does not take, 409 for one that is there. */
    async createBucket(bucket: string): Promise<void> {
      if (!BUCKET_NAME.test(bucket)) throw new S3Error(400, 'InvalidBucketName', 'The specified bucket is not valid.');
      if (buckets.has(bucket)) throw new S3Error(409, 'BucketAlreadyOwnedByYou', 'You already own this bucket.');
      buckets.set(bucket, createKeyIndex());
      await mkdir(join(home, bucket), { recursive: true });
      await syncDirectory(home);
    },

    /** @throws {S3Error} 404; 409 while it holds objects. */
    async deleteBucket(bucket: string): Promise<void> {
      if (indexOf(bucket).size() > 0) throw new S3Error(409, 'BucketNotEmpty', 'The bucket is not empty');
      buckets.delete(bucket);
      rmSync(join(home, bucket), { recursive: true, force: true });
      await syncDirectory(home);
    },

    /** A new file to receive an object into; it is nobody's until committed. */
    stage: (): Promise<ObjectWriter> => createObjectWriter(join(staging, randomUUID())),

    /**
     * Puts a sealed file in its place: the check, the rename and the index are one step, so of racing writers one wins.
     * Resolves when it is durable.
     * @throws what `condition` throws, and NoSuchBucket; then nothing has changed, and the caller discards the file.
     */
    async commit(bucket: string, file: string, meta: ObjectMeta, condition: WriteCondition): Promise<void> {
      const index = indexOf(bucket);
      condition(index.get(meta.key));
      renameSync(file, fileOf(bucket, meta.key));
      index.set(listed(meta));
      await syncDirectory(join(home, bucket));
    },

    /** Opens an object; the caller closes its handle. @throws {S3Error} NoSuchBucket, NoSuchKey. */
    async open(bucket: string, key: string): Promise<OpenObject> {
      const opened = indexOf(bucket).get(key) === undefined ? null : await openObjectFile(fileOf(bucket, key));
      if (opened === null) throw noSuchKey();
      return opened;
    },

    /** Removes objects, durably; absent ones are no error. @throws {S3Error} NoSuchBucket. */
    async remove(bucket: string, keys: readonly string[]): Promise<void> {
      const index = indexOf(bucket);
      for (const key of keys) if (index.delete(key)) rmSync(fileOf(bucket, key), { force: true });
      if (existsSync(join(home, bucket))) await syncDirectory(join(home, bucket));
    },
  };
}

export type BucketStore = Awaited<ReturnType<typeof openBucketStore>>;

const listed = ({ key, sizeBytes, etag, modifiedAtMs, headers }: ObjectMeta): IndexEntry => {
  return { key, sizeBytes, etag, modifiedAtMs, storageClass: headers[STORAGE_CLASS] ?? STANDARD };
};

async function readIndex(directory: string): Promise<KeyIndex> {
  const index = createKeyIndex();
  const files = await readdir(directory);
  for (let at = 0; at < files.length; at += OPEN_FILES_AT_START) {
    const batch = files.slice(at, at + OPEN_FILES_AT_START);
    for (const meta of await Promise.all(batch.map((file) => readObjectMeta(join(directory, file))))) {
      if (meta !== null) index.set(listed(meta));
    }
  }
  return index;
}
