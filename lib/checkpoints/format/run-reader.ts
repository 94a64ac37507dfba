/** Reads the lines of a run, which stand in one object or more. */
import { linesOf } from '../../blobs/ndjson.ts';
import { CorruptValueError } from '../../errors.ts';
import { type CheckpointLine, decodeLine, orderOf } from './checkpoint-line.ts';
import type { CheckpointObject } from './checkpoint-object.ts';
import { type ObjectSource, readFrames } from './frame-reader.ts';
import { compareUtf8 } from './utf8-order.ts';

/**
 * The lines in their order; a frame is held at a time.
 * @throws {CorruptValueError} as `readFrames`, and when lines are out of order.
 * @throws {CheckpointFormatError} a newer version wrote it.
 */
export async function* readRun(
  objects: readonly CheckpointObject[],
  source: ObjectSource,
): AsyncGenerator<CheckpointLine> {
  let last: string | null = null;
  for (const object of objects) {
    for await (const content of readFrames(object, source)) {
      for (const bytes of linesOf(content)) {
        const line = decodeLine(bytes.toString('utf8'));
        const order = orderOf(line);
        if (last !== null && compareUtf8(last, order) >= 0)
          throw new CorruptValueError('The lines of the checkpoint are out of order');
        last = order;
        yield line;
      }
    }
  }
}
