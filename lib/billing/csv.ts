/** An invoice as a table (RFC 4180): one row a line, the total last. */
import type { Invoice, InvoiceLine } from './contract.ts';

const COLUMNS = [
  'period',
  'status',
  'key',
  'plan',
  'quantity',
  'unit',
  'included',
  'billable',
  'unit_price_micros',
  'priced_per',
  'amount_micros',
  'currency',
  'adjustment_id',
  'reason',
] as const;

/** @param invoice its `status` stands in every row; that of a simulation is no invoice's. */
export function invoiceCsv(invoice: Omit<Invoice, 'status'> & { readonly status: string }): string {
  const { period, status, currency, lines, total_micros } = invoice;
  const row = (line: Partial<Record<(typeof COLUMNS)[number], string | number | null>>) =>
    COLUMNS.map((column) => cell({ period, status, currency, ...line }[column] ?? '')).join(',');
  const rows = lines.map((line) => row({ ...line, ...adjustmentOf(line) }));
  return [COLUMNS.join(','), ...rows, row({ key: 'total', amount_micros: total_micros }), ''].join('\r\n');
}

const adjustmentOf = ({ adjustment }: InvoiceLine) =>
  adjustment === null ? {} : { adjustment_id: adjustment.id, reason: adjustment.reason };

/** Text a spreadsheet would run as a formula begins with an apostrophe; a negative number is none. */
function cell(value: string | number): string {
  const text = String(value);
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
