import type { Row } from './row.ts';
import type { Bench } from './setup.ts';

/** Rows that are measured together. A suite takes at most 20 s. */
export interface Suite {
  /** What `--only` looks for. */
  readonly name: string;
  run(bench: Bench): Promise<readonly Row[]>;
}
