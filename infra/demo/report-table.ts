import Table from 'cli-table3';
import type { OperationSummary } from './summary.ts';

/** `green` for what was shown, `bold` for headings; gives the text back as it is where no colour is wanted. */
export type Paint = (style: 'green' | 'bold' | 'yellow', text: string) => string;

/** The first column on the left, numbers on the right. */
export function table(head: readonly string[], rows: readonly string[][], paint: Paint): string {
  const colAligns = head.map((_, column) => (column === 0 ? ('left' as const) : ('right' as const)));
  const grid = new Table({ head: head.map((name) => paint('bold', name)), colAligns, style: { head: [], border: [] } });
  grid.push(...rows);
  return grid.toString();
}

/** How long each operation took, in milliseconds. */
export function timesTable(head: string, operations: readonly OperationSummary[], paint: Paint): string {
  const rows = operations.map((times) => [
    times.operation,
    count(times.count),
    ...[times.p50_ms, times.p95_ms, times.p99_ms].map((ms) => ms.toFixed(2)),
  ]);
  return table([head, 'Calls', 'p50', 'p95', 'p99'], rows, paint);
}

export const count = (value: number) => value.toLocaleString('en');
