/**
 * The file behind one object: its bytes, then its facts as JSON, then the JSON's length and a magic word. Bytes and facts
 * are one file, so one rename shows both or neither, and whoever has it open reads one version to the end.
 */
import { type FileHandle, open, rm } from 'node:fs/promises';
import type { Checksums } from './checksums.ts';

/** What is known about an object besides its bytes. */
export interface ObjectMeta {
  readonly key: string;
  readonly sizeBytes: number;
  /** Without quotes. */
  readonly etag: string;
  /** Unix time, ms. */
  readonly modifiedAtMs: number;
  /** Given back as they came: content type and the like, and `x-amz-meta-*`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly checksums: Checksums;
}

/** A file being written. It is an object only after `seal`, and seen only after its rename. */
export interface ObjectWriter {
  readonly path: string;
  write(chunk: Uint8Array): Promise<void>;
  /** Adds the facts and waits until the disk has it all; closes the file. */
  seal(meta: ObjectMeta): Promise<void>;
  /** Closes and removes the file. */
  discard(): Promise<void>;
}

/** One version of an object, opened: it stays readable when it is replaced or deleted meanwhile. The reader closes it. */
export interface OpenObject {
  readonly meta: ObjectMeta;
  readonly handle: FileHandle;
}

const MAGIC = 'RTS1';
const TAIL_BYTES = 8;
const FIRST_READ_BYTES = 4096;

/** Begins a new file. @param path must not exist. */
export async function createObjectWriter(path: string): Promise<ObjectWriter> {
  const handle = await open(path, 'wx', 0o600);
  return {
    path,
    async write(chunk) {
      await handle.writeFile(chunk);
    },
    async seal(meta) {
      await handle.writeFile(footer(meta));
      await handle.datasync();
      await handle.close();
    },
    async discard() {
      await handle.close().catch(() => undefined);
      await rm(path, { force: true });
    },
  };
}

/** Opens an object's file; null when there is none, or it was never sealed. */
export async function openObjectFile(path: string): Promise<OpenObject | null> {
  const handle = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (handle === null) return null;
  const meta = await readFooter(handle).catch(async (error: unknown) => {
    await handle.close();
    throw error;
  });
  if (meta !== null) return { meta, handle };
  await handle.close();
  return null;
}

/** Reads an object's facts only; null as {@link openObjectFile}. */
export async function readObjectMeta(path: string): Promise<ObjectMeta | null> {
  const opened = await openObjectFile(path);
  await opened?.handle.close();
  return opened?.meta ?? null;
}

function footer(meta: ObjectMeta): Buffer {
  const json = Buffer.from(JSON.stringify(meta));
  const tail = Buffer.alloc(TAIL_BYTES);
  tail.writeUInt32LE(json.length);
  tail.write(MAGIC, 4, 'latin1');
  return Buffer.concat([json, tail]);
}

async function readFooter(handle: FileHandle): Promise<ObjectMeta | null> {
  const { size } = await handle.stat();
  if (size < TAIL_BYTES) return null;
  const end = await readAt(handle, Math.max(0, size - FIRST_READ_BYTES), size);
  if (end.toString('latin1', end.length - 4) !== MAGIC) return null;
  const jsonBytes = end.readUInt32LE(end.length - TAIL_BYTES);
  const start = size - TAIL_BYTES - jsonBytes;
  if (start < 0) return null;
  const json = await readAt(handle, start, size - TAIL_BYTES);
  const meta = JSON.parse(json.toString()) as ObjectMeta;
  return meta.sizeBytes === start ? meta : null;
}

/** Exactly the bytes from `start` up to, not including, `end`. */
async function readAt(handle: FileHandle, start: number, end: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(end - start);
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
  return buffer.subarray(0, bytesRead);
}
