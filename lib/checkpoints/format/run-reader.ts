/** Reads the lines of a run, which stand in one object or more. */
import { linesOf } from '../../blobs/ndjson.ts';
import { CorruptValueError } from '../../errors.ts';
import { type CheckpointLine, decodeLine, orderOf } from './checkpoint-line.ts';
import type { CheckpointObject } from './checkpoint-object.ts';
import { type ObjectSource, readFrames } from './frame-reader.ts';
import { compareUtf8 } from './utf8-order.ts';

/**
 * The lines in their order; a frame is held at a time.
 * @param after order of a line: only those behind it are given, and objects before it are not read, but for the first frame of a few.
 * @throws {CorruptValueError} as `readFrames`, and when lines are out of order.
 * @throws {CheckpointFormatError} a newer version wrote it.
 */
export async function* readRun(
  objects: readonly CheckpointObject[],
  source: ObjectSource,
  after: string | null = null,
): AsyncGenerator<CheckpointLine> {
  let last: string | null = null;
  for (const object of after === null ? objects : await objectsBehind(objects, source, after)) {
    for await (const content of readFrames(object, source)) {
      for (const bytes of linesOf(content)) {
        const line = decodeLine(bytes.toString('utf8'));
        const order = orderOf(line);
        if (last !== null && compareUtf8(last, order) >= 0)
          throw new CorruptValueError('The lines of the checkpoint are out of order');
        last = order;
        if (after === null || compareUtf8(order, after) > 0) yield line;
      }
    }
  }
}

/** From the last object on that begins before that line: found by halves. */
async function objectsBehind(objects: readonly CheckpointObject[], source: ObjectSource, after: string) {
  let [from, to] = [0, objects.length];
  while (to - from > 1) {
    const middle = Math.floor((from + to) / 2);
    if (compareUtf8(await firstOrder(objects[middle] as CheckpointObject, source), after) <= 0) from = middle;
    else to = middle;
  }
  return objects.slice(from);
}

async function firstOrder(object: CheckpointObject, source: ObjectSource): Promise<string> {
  for await (const content of readFrames({ ...object, frames: object.frames.slice(0, 1) }, source))
    for (const bytes of linesOf(content)) return orderOf(decodeLine(bytes.toString('utf8')));
  throw new CorruptValueError('An object of the checkpoint has no lines');
}
