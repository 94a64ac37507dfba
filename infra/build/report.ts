/** What the build says of its result: a table, and which budgets are passed. */
import Table from 'cli-table3';
import type { BuiltFunction } from './build-functions.ts';

/**
 * Bytes of JavaScript a cold start may read, by function. The cache read is the busiest one; 250 KB is the project's goal.
 * A KB is 1,000 bytes, as the goal writes it.
 */
export const EAGER_BUDGETS: Readonly<Record<string, number>> = { cacheGetEntry: 250_000 };

/** One line for each function above its budget. */
export function overBudget(built: readonly Pick<BuiltFunction, 'key' | 'eagerBytes'>[]): readonly string[] {
  return built.flatMap(({ key, eagerBytes }) => {
    const budget = EAGER_BUDGETS[key] ?? Number.POSITIVE_INFINITY;
    return eagerBytes > budget ? [`${key} reads ${kb(eagerBytes)} at a cold start, its budget is ${kb(budget)}`] : [];
  });
}

/** The table `npm run build` prints. */
export function buildTable(built: readonly BuiltFunction[]): string {
  const table = new Table({
    head: ['function', 'at cold start', 'unpacked', 'zip'],
    colAligns: ['left', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const { key, eagerBytes, totalBytes, zipBytes } of built)
    table.push([key, kb(eagerBytes), kb(totalBytes), kb(zipBytes)]);
  return table.toString();
}

const kb = (bytes: number): string => `${(bytes / 1000).toFixed(1)} KB`;
