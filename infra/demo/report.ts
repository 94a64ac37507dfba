/** The summary as a person reads it. Colour only where `paint` gives it. */
import Table from 'cli-table3';
import type { Summary } from './summary.ts';

/** `green` for what was shown, `bold` for headings; gives the text back as it is where no colour is wanted. */
export type Paint = (style: 'green' | 'bold', text: string) => string;

export function formatReport(summary: Summary, paint: Paint): string {
  const { shown, left, took_ms, concurrency_per_tenant } = summary;
  return [
    tenantTable(summary, paint),
    paint('bold', `Milliseconds at the client, ${concurrency_per_tenant} calls at once for each of 2 tenants`),
    operationTable(summary, paint),
    paint('bold', 'Shown, and checked'),
    ...shown.map((claim) => `${paint('green', '✓')} ${claim}`),
    '',
    ...describeLeft(left),
    `Took ${(took_ms / 1000).toFixed(1)} s`,
  ].join('\n');
}

function describeLeft(left: Summary['left']): readonly string[] {
  if (left === null) return ['Nothing is left: the service was started for this and is gone with its data'];
  const { tenants, documents } = left;
  const entries = documents === 0 ? 'without an entry' : `and ${count(documents)} entries, which expire within an hour`;
  return [
    `Left in the service: ${tenants.length} tenants with a key each, ${entries}`,
    ...tenants.map((id) => `  ${id}`),
  ];
}

function tenantTable({ tenants }: Summary, paint: Paint): string {
  const head = ['Tenant', 'Documents', 'Bytes in', 'Bytes stored', 'Stored ÷ in', 'Hits', 'Misses'];
  const rows = tenants.map((tenant) => [
    tenant.name,
    count(tenant.documents),
    count(tenant.bytes_in),
    count(tenant.bytes_stored),
    `${(tenant.stored_ratio * 100).toFixed(1)} %`,
    count(tenant.hits),
    count(tenant.misses),
  ]);
  return table(head, rows, paint);
}

function operationTable({ operations }: Summary, paint: Paint): string {
  const rows = operations.map((times) => [
    times.operation,
    count(times.count),
    ...[times.p50_ms, times.p95_ms, times.p99_ms].map((ms) => ms.toFixed(2)),
  ]);
  return table(['Operation', 'Calls', 'p50', 'p95', 'p99'], rows, paint);
}

function table(head: readonly string[], rows: readonly string[][], paint: Paint): string {
  const colAligns = head.map((_, column) => (column === 0 ? ('left' as const) : ('right' as const)));
  const grid = new Table({ head: head.map((name) => paint('bold', name)), colAligns, style: { head: [], border: [] } });
  grid.push(...rows);
  return grid.toString();
}

const count = (value: number) => value.toLocaleString('en');
