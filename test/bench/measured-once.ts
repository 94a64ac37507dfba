import type { Row } from './row.ts';
import type { Bench } from './setup.ts';

/** For every run the same rows: of what takes too long to be measured again, or holds no time. */
export function measuredOnce(measure: (bench: Bench) => Promise<readonly Row[]>) {
  const measured = new WeakMap<Bench, readonly Row[]>();
  return async (bench: Bench): Promise<readonly Row[]> => {
    const rows = measured.get(bench) ?? (await measure(bench));
    measured.set(bench, rows);
    return rows;
  };
}
