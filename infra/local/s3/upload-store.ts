import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createDirectorySync } from './directory-sync.ts';
import {
  createObjectWriter,
  type ObjectMeta,
  type ObjectWriter,
  type OpenObject,
  openObjectFile,
  readObjectMeta,
} from './object-file.ts';
import { S3Error } from './s3-error.ts';

/** An upload in parts that has begun: where it will go, and the headers it began with. */
export interface Upload {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
}

const UPLOAD_ID = /^[0-9a-f-]{36}$/;
const HEAD_FILE = 'upload';
const PARTIAL = '.partial';
const ABANDONED_MS = 7 * 86_400_000;

/**
 * Uploads in parts: a directory each, holding one file for the upload and one for each part, all durable, so a restart
 * loses none. Those begun more than a week ago are removed at start.
 * @param nowMs Unix time, ms.
 */
export async function openUploadStore(directory: string, nowMs: number) {
  const home = join(directory, 'uploads');
  await mkdir(home, { recursive: true });
  await removeAbandoned(home, nowMs);
  const syncDirectory = createDirectorySync();
  const partFile = (upload: Upload, part: number) => join(home, upload.id, String(part));

  return {
    /** Begins an upload. Resolves when that is durable. */
    async begin(meta: Omit<ObjectMeta, 'headers'>, start: Omit<Upload, 'id'>): Promise<Upload> {
      const id = randomUUID();
      await mkdir(join(home, id));
      const writer = await createObjectWriter(join(home, id, HEAD_FILE));
      await writer.seal({ ...meta, headers: { ...start.headers, bucket: start.bucket } });
      await syncDirectory(join(home, id));
      await syncDirectory(home);
      return { id, ...start };
    },

    /** @throws {S3Error} NoSuchUpload, also for one that is of another object. */
    async find(id: string, target: { readonly bucket: string; readonly key: string }): Promise<Upload> {
      const meta = UPLOAD_ID.test(id) ? await readObjectMeta(join(home, id, HEAD_FILE)) : null;
      const { bucket, ...headers } = meta?.headers ?? {};
      if (meta === null || meta.key !== target.key || bucket !== target.bucket) {
        throw new S3Error(404, 'NoSuchUpload', 'The specified multipart upload does not exist.');
      }
      return { id, bucket, key: meta.key, headers };
    },

    /** A new file to receive a part into. */
    stagePart: (upload: Upload): Promise<ObjectWriter> =>
      createObjectWriter(join(home, upload.id, `${randomUUID()}${PARTIAL}`)),

    /** Puts a sealed part in its place, over one of the same number. Resolves when it is durable. */
    async commitPart(upload: Upload, part: number, file: string): Promise<void> {
      await rename(file, partFile(upload, part));
      await syncDirectory(join(home, upload.id));
    },

    /** Opens a part, or null; the caller closes its handle. */
    openPart: (upload: Upload, part: number): Promise<OpenObject | null> => openObjectFile(partFile(upload, part)),

    /** Removes the upload and its parts. */
    async remove(upload: Upload): Promise<void> {
      await rm(join(home, upload.id), { recursive: true, force: true });
      await syncDirectory(home);
    },
  };
}

export type UploadStore = Awaited<ReturnType<typeof openUploadStore>>;

async function removeAbandoned(home: string, nowMs: number): Promise<void> {
  for (const id of await readdir(home)) {
    const begun = await stat(join(home, id, HEAD_FILE)).catch(() => null);
    const isAbandoned = begun === null || begun.mtimeMs < nowMs - ABANDONED_MS;
    if (isAbandoned) await rm(join(home, id), { recursive: true, force: true });
    else await removePartial(join(home, id));
  }
}

async function removePartial(directory: string): Promise<void> {
  for (const file of await readdir(directory)) if (file.endsWith(PARTIAL)) await rm(join(directory, file));
}
