/** Writes data objects of a checkpoint frame by frame. Needs memory for the object under way. */
import { hash } from 'node:crypto';
import { loadLz4 } from '../../blobs/lz4.ts';
import { frameAsIs } from '../../blobs/lz4-frame.ts';
import { toSkippable } from '../../blobs/skippable-frame.ts';
import { toObjectBytes } from '../../cache/large/blob-format.ts';
import type { Seal } from '../../crypto/tenant-cipher.ts';
import { type CheckpointFrame, type CheckpointObject, OBJECT_BYTES, sealedParts } from './checkpoint-object.ts';

/** Stores a whole object; the next is stored when this one is settled. */
export type ObjectSink = (name: string, bytes: Buffer) => Promise<void>;

export interface ObjectWriterDeps {
  readonly sink: ObjectSink;
  /** Null: the tenant does not encrypt. */
  readonly seal: Seal | null;
  /** A ULID, a new one each time: objects are never written over. */
  readonly newName: () => string;
  /** Default: true. */
  readonly compress?: boolean;
}

interface OpenObject {
  readonly name: string;
  readonly parts: Buffer[];
  readonly frames: CheckpointFrame[];
  bytes: number;
}

/** A writer of one run's objects. Await each call before the next. @throws what the sink throws; it cannot go on then. */
export function createObjectWriter({ sink, seal, newName, compress = true }: ObjectWriterDeps) {
  const objects: CheckpointObject[] = [];
  let current: OpenObject | null = null;

  const store = async () => {
    if (current === null) return;
    const { name, parts, frames, bytes } = current;
    current = null;
    await sink(name, Buffer.concat(parts, bytes));
    objects.push({ name, bytes, frames });
  };

  return {
    /** Adds a frame of so many lines, each with its newline. @param raw free again when this is settled. */
    async add(raw: Buffer, lines: number): Promise<void> {
      current ??= { name: newName(), parts: [], frames: [], bytes: 0 };
      const object = current;
      const packed = compress ? await (await loadLz4()).compressInTurns(raw) : frameAsIs(raw);
      const bytes = seal === null ? packed : sealFrame(packed, seal, sealedParts(object.name, object.frames.length));
      object.frames.push({
        offset: object.bytes,
        length: bytes.length,
        raw_bytes: raw.length,
        sha256: hash('sha256', bytes, 'hex'),
        lines,
        sealed: seal !== null,
      });
      object.parts.push(bytes);
      object.bytes += bytes.length;
      if (object.bytes >= OBJECT_BYTES) await store();
    },
    /** Stores the rest. Of no frames there are no objects. */
    async close(): Promise<readonly CheckpointObject[]> {
      await store();
      return objects;
    },
  };
}

const sealFrame = (packed: Buffer, seal: Seal, parts: readonly string[]): Buffer =>
  toSkippable(toObjectBytes('graw', seal(packed, parts)));
