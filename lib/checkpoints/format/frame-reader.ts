/** Reads data objects of a checkpoint, a few frames at a time. Nothing is believed before its digest is right. */
import { hash } from 'node:crypto';
import { loadLz4 } from '../../blobs/lz4.ts';
import { countLines } from '../../blobs/ndjson.ts';
import { fromSkippable } from '../../blobs/skippable-frame.ts';
import { toPayload } from '../../cache/large/blob-format.ts';
import { CorruptValueError } from '../../errors.ts';
import { type CheckpointFrame, type CheckpointObject, requireUsualSize, sealedParts } from './checkpoint-object.ts';

/** Where the objects of one tenant are. */
export interface ObjectSource {
  /** Bytes of an object from `start` to `end`, the last included; null: there is no such object. */
  read(name: string, range: { readonly start: number; readonly end: number }): Promise<Buffer | null>;
  /** Opens what was sealed for the tenant under these parts. @throws {CorruptValueError}, and what has no key throws. */
  open(text: string, parts: readonly string[]): Promise<Buffer>;
}

/** Small frames are read together, up to so many bytes. */
const READ_BYTES = 2 * 1024 * 1024;

/**
 * The lines of each frame, NDJSON, in their order.
 * @throws {CorruptValueError} the object is missing, or a frame is not what was written; the frames before it were given.
 * @throws as `open`.
 */
export async function* readFrames(object: CheckpointObject, source: ObjectSource): AsyncGenerator<Buffer> {
  object.frames.forEach(requireUsualSize);
  let number = 0;
  const groups = readTogether(object.frames);
  let reading = groups[0] && readRange(object.name, groups[0], source);
  for (const [i, frames] of groups.entries()) {
    const bytes = await reading;
    const next = groups[i + 1];
    // While these are looked at.
    reading = next && readRange(object.name, next, source);
    // Told when its turn comes.
    reading?.catch(() => {});
    if (bytes === undefined || bytes === null) throw new CorruptValueError('An object of the checkpoint is missing');
    const first = frames[0] as CheckpointFrame;
    for (const frame of frames) {
      const at = frame.offset - first.offset;
      yield await openFrame(bytes.subarray(at, at + frame.length), frame, (text) =>
        source.open(text, sealedParts(object.name, number)),
      );
      number++;
    }
  }
}

function readRange(name: string, frames: readonly CheckpointFrame[], source: ObjectSource): Promise<Buffer | null> {
  const [first, last] = [frames[0] as CheckpointFrame, frames.at(-1) as CheckpointFrame];
  return source.read(name, { start: first.offset, end: last.offset + last.length - 1 });
}

/** Frames next to each other, as one range. */
function readTogether(frames: readonly CheckpointFrame[]): readonly (readonly CheckpointFrame[])[] {
  const groups: CheckpointFrame[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const frame of frames) {
    if (bytes + frame.length > READ_BYTES) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(frame);
    bytes += frame.length;
  }
  return groups;
}

async function openFrame(
  bytes: Buffer,
  frame: CheckpointFrame,
  open: (text: string) => Promise<Buffer>,
): Promise<Buffer> {
  if (bytes.length !== frame.length || hash('sha256', bytes, 'hex') !== frame.sha256)
    throw new CorruptValueError('A frame of the checkpoint fails its digest');
  const packed = frame.sealed ? await open(toPayload('graw', fromSkippable(bytes))) : bytes;
  const content = await (await loadLz4()).decompressInTurns(packed, frame.raw_bytes);
  if (countLines(content) !== frame.lines)
    throw new CorruptValueError('A frame of the checkpoint has other lines than it says');
  return content;
}
