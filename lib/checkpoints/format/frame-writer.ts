/** Writes a run: lines in their order, into frames of whole lines. While one is packed and stored, the next is filled. */
import { type CheckpointLine, encodeLine, orderOf } from './checkpoint-line.ts';
import { type CheckpointObject, MAX_LINE_BYTES } from './checkpoint-object.ts';
import { createFrameFiller, type FilledFrame } from './frame-filler.ts';
import { createObjectWriter, type ObjectWriterDeps } from './object-writer.ts';
import { compareUtf8 } from './utf8-order.ts';

export interface WrittenRun {
  readonly objects: readonly CheckpointObject[];
  readonly lines: number;
  /** Bytes of the lines. */
  readonly rawBytes: number;
  /** Bytes of the objects. */
  readonly bytes: number;
}

export type RunWriter = ReturnType<typeof createRunWriter>;

/** A writer of one run, or of a part of one. Await each call before the next. @throws what the sink throws; it cannot go on then. */
export function createRunWriter(deps: ObjectWriterDeps) {
  const writer = createObjectWriter(deps);
  const filler = createFrameFiller();
  let packing: Promise<void> = Promise.resolve();
  let last: string | null = null;

  const pack = async ({ raw, lines }: FilledFrame) => {
    await packing;
    packing = writer.add(raw, lines);
    // Told by the next call that waits for it.
    packing.catch(() => {});
  };

  const flush = async () => {
    const frame = filler.take();
    if (frame !== null) await pack(frame);
  };

  return {
    /** Adds a line. @throws {RangeError} it does not come behind the one before it, or is longer than lines may be. */
    async add(line: CheckpointLine): Promise<void> {
      const order = orderOf(line);
      if (last !== null && compareUtf8(last, order) >= 0) throw new RangeError('A line of a run is out of order');
      const text = encodeLine(line);
      const bytes = Buffer.byteLength(text);
      if (bytes > MAX_LINE_BYTES) throw new RangeError('A line of a run is too long');
      last = order;
      if (!filler.hasRoom(bytes)) await flush();
      if (filler.hasRoom(bytes)) filler.add(text, bytes);
      else await pack({ raw: Buffer.from(text), lines: 1 });
    },
    /** Writes the rest. A run of nothing has no objects. */
    async close(): Promise<WrittenRun> {
      await flush();
      await packing;
      return totalsOf(await writer.close());
    },
  };
}

function totalsOf(objects: readonly CheckpointObject[]): WrittenRun {
  const frames = objects.flatMap((object) => object.frames);
  return {
    objects,
    lines: frames.reduce((sum, { lines }) => sum + lines, 0),
    rawBytes: frames.reduce((sum, frame) => sum + frame.raw_bytes, 0),
    bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
