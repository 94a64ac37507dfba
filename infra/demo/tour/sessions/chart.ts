/** Levels over time as a picture of characters. Pure. */

const EIGHTHS = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const LINE = '┄';

export interface Mark {
  /** Where its line is: 0 to 1. */
  readonly level: number;
  readonly label: string;
}

/**
 * A column for each level of 0 to 1, from the top down; more than nothing is always seen. Lines are drawn where a mark is, as far as
 * no column hides them. A level above 1 reaches into a row of its own above all.
 */
export function drawLevels(levels: readonly number[], rows: number, marks: readonly Mark[]): readonly string[] {
  const isOver = levels.some((level) => level > 1);
  const width = Math.max(0, ...marks.map(({ label }) => label.length));
  return Array.from({ length: rows + (isOver ? 1 : 0) }, (_, i) => {
    const row = rows - 1 - i + (isOver ? 1 : 0);
    const mark = marks.find(({ level }) => Math.round(level * rows) - 1 === row);
    const cells = levels.map((level) => cell(level * rows - row, mark !== undefined, level > 0 && row === 0));
    return `${(mark?.label ?? '').padStart(width)} ${mark === undefined ? '│' : '┤'}${cells.join('')}`;
  });
}

/** One line: each value as high as it is beside the largest. */
export function drawSparkline(values: readonly number[]): string {
  const most = Math.max(...values, 1);
  return values.map((value) => EIGHTHS[eighthsOf(value / most, value > 0)]).join('');
}

/** @param level of this row: 0 below it, 1 above. */
function cell(level: number, isMarked: boolean, isSeen: boolean): string {
  const eighths = eighthsOf(level, isSeen);
  return eighths === 0 && isMarked ? LINE : (EIGHTHS[eighths] as string);
}

const eighthsOf = (level: number, isSeen: boolean) =>
  Math.max(isSeen ? 1 : 0, Math.min(8, Math.round(Math.max(0, level) * 8)));
