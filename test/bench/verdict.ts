/** Several runs of the bench become one answer for each row. Pure. */
import { isReached, type Row } from './row.ts';
import { median } from './statistics.ts';

export interface Verdict extends Row {
  readonly runs: number;
  /** Runs that reached it. */
  readonly runsMet: number;
  /** `shown`: nothing has to be reached; it stands beside a claim, or explains another row. */
  readonly verdict: 'met' | 'missed' | 'shown';
}

/**
 * One verdict for each row, in the order of the first run: met is what two of three runs reached, `got` the median of
 * the runs, the spread that of all their rounds.
 */
export function judge(runs: readonly (readonly Row[])[]): readonly Verdict[] {
  const [first = []] = runs;
  return first.map(({ id }) => judgeRow(runs.flatMap((rows) => rows.filter((row) => row.id === id))));
}

function judgeRow(rows: readonly Row[]): Verdict {
  const last = rows.at(-1) as Row;
  const { reach } = last;
  const runsMet = reach === undefined ? 0 : rows.filter((row) => isReached(reach, row.got)).length;
  const isMet = runsMet * 3 >= rows.length * 2;
  return {
    ...last,
    got: median(rows.map((row) => row.got)),
    spread: {
      min: Math.min(...rows.map((row) => row.spread.min)),
      max: Math.max(...rows.map((row) => row.spread.max)),
    },
    runs: rows.length,
    runsMet,
    verdict: reach === undefined ? 'shown' : isMet ? 'met' : 'missed',
  };
}
