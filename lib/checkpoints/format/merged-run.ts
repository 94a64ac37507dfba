/** The runs of a tenant as one: what was there when the checkpoint was made. Holds a line of each run, and what reads it a frame. */
import { type CheckpointLine, type CheckpointRecord, isRemoval, orderOf } from './checkpoint-line.ts';
import { createHiding, type InvalidationEpochs } from './invalidation-epochs.ts';
import { compareUtf8 } from './utf8-order.ts';

export interface RunToMerge {
  readonly epochs: InvalidationEpochs;
  /** In their order, each record once. */
  readonly lines: AsyncIterable<CheckpointLine>;
}

interface Cursor {
  readonly rest: AsyncIterator<CheckpointLine>;
  line: CheckpointLine;
  order: string;
}

/**
 * The records in their order. Of lines of one record that of the latest run holds; what is removed there, or invalidated, is
 * left out.
 * @param runs the oldest first.
 * @throws what reading the lines throws; the records before it were given.
 */
export async function* mergeRuns(runs: readonly RunToMerge[]): AsyncGenerator<CheckpointRecord> {
  const isHidden = createHiding(runs.map(({ epochs }) => epochs));
  const [only] = runs;
  // Of one run, as after each base, there is nothing to compare.
  const lines = runs.length === 1 && only !== undefined ? only.lines : latestLines(runs);
  for await (const line of lines) if (!isRemoval(line) && !(line.kind === 'cache' && isHidden(line))) yield line;
}

/** Of each record the line of the latest run that has one. */
async function* latestLines(runs: readonly RunToMerge[]): AsyncGenerator<CheckpointLine> {
  const iterators = runs.map(({ lines }) => lines[Symbol.asyncIterator]());
  try {
    let cursors = await firstLines(iterators);
    while (cursors.length > 0) {
      const next = cursors.filter(isFirst(cursors));
      yield (next.at(-1) as Cursor).line;
      for (const cursor of next) if (!(await advance(cursor))) cursors = cursors.filter((other) => other !== cursor);
    }
  } finally {
    for (const iterator of iterators) await iterator.return?.();
  }
}

async function firstLines(iterators: readonly AsyncIterator<CheckpointLine>[]): Promise<readonly Cursor[]> {
  const cursors: Cursor[] = [];
  for (const rest of iterators) {
    const { done, value } = await rest.next();
    if (!done) cursors.push({ rest, line: value, order: orderOf(value) });
  }
  return cursors;
}

/** Whether a cursor stands at the first of all lines. */
function isFirst(cursors: readonly Cursor[]): (cursor: Cursor) => boolean {
  const first = cursors.reduce((least, cursor) => (compareUtf8(cursor.order, least.order) < 0 ? cursor : least));
  return ({ order }) => order === first.order;
}

async function advance(cursor: Cursor): Promise<boolean> {
  const { done, value } = await cursor.rest.next();
  if (done) return false;
  cursor.line = value;
  cursor.order = orderOf(value);
  return true;
}
