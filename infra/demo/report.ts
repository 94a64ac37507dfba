/** The summary as a person reads it. Colour only where `paint` gives it. */
import { ERASED_WITHIN_MINUTES } from './cast.ts';
import { formatBill, formatQuotas, formatUsage } from './report-bill.ts';
import { formatCache } from './report-cache.ts';
import { formatSessions } from './report-sessions.ts';
import { count, type Paint, table, timesTable } from './report-table.ts';
import type { Summary } from './summary.ts';

export function formatReport(summary: Summary, paint: Paint): string {
  const { shown, not_shown, quotas_met, bill, cache, sessions, usage, audit, left, took_ms, concurrency_per_tenant } =
    summary;
  return [
    tenantTable(summary, paint),
    paint('bold', `Milliseconds at the client, ${concurrency_per_tenant} calls at once for each of 2 tenants`),
    timesTable('Operation', summary.operations, paint),
    formatCache(cache, paint),
    '',
    formatSessions(sessions, paint),
    '',
    formatQuotas(quotas_met, paint),
    formatUsage(usage, paint),
    '',
    ...(bill === null ? [] : [formatBill(bill, paint), '']),
    paint('bold', 'Shown, and checked'),
    ...shown.map((claim) => `${paint('green', '✓')} ${claim}`),
    ...not_shown.map((what) => `${paint('yellow', '–')} Not shown here. ${what}`),
    '',
    `Head of the audit log: ${audit.head}`,
    ...describeLeft(left),
    `Took ${(took_ms / 1000).toFixed(1)} s`,
  ].join('\n');
}

function describeLeft(left: Summary['left']): readonly string[] {
  if (left === null) return ['Nothing is left: the service was started for this and is gone with its data'];
  const { tenants, documents, to_be_erased } = left;
  if (tenants.length === 0)
    return [
      `Left in the service: nothing that is used. The ${to_be_erased.length} tenants are deleted, and erased within ` +
        `${ERASED_WITHIN_MINUTES} minutes; for good stay their receipts, final bills and entries of the audit log`,
    ];
  return [
    `Left in the service: ${tenants.length} tenants with a key each, and ${count(documents)} documents, which expire within an hour`,
    ...tenants.map((id) => `  ${id}`),
  ];
}

function tenantTable({ tenants }: Summary, paint: Paint): string {
  const head = ['Tenant', 'Plan', 'Documents', 'Bytes in', 'Bytes stored', 'Stored ÷ in', 'Hits', 'Misses'];
  const rows = tenants.map((tenant) => [
    tenant.name,
    tenant.plan,
    count(tenant.documents),
    count(tenant.bytes_in),
    count(tenant.bytes_stored),
    `${(tenant.stored_ratio * 100).toFixed(1)} %`,
    count(tenant.hits),
    count(tenant.misses),
  ]);
  return table(head, rows, paint);
}
