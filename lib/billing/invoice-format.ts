/**
 * A closed invoice as it is stored: field `inv:<month>` of the tenant's billing hash, `i1\n<JSON>`. The JSON is what the API
 * gives; it is never written again.
 */
import type { Invoice } from './contract.ts';

const FIELD = /^inv:(\d{4}-\d{2})$/;
const FORMAT = 'i1\n';

/** The field of a month, as 2026-11. */
export const invoiceField = (period: string): string => `inv:${period}`;

/** The month of a field; null when the field holds no invoice. */
export const invoicePeriod = (field: string): string | null => FIELD.exec(field)?.[1] ?? null;

/** As it is stored. */
export const packInvoice = (invoice: Invoice): string => FORMAT + JSON.stringify(invoice);

/** @throws {RangeError | SyntaxError} not an invoice. */
export function unpackInvoice(text: string): Invoice {
  if (!text.startsWith(FORMAT)) throw new RangeError('Not an invoice');
  return JSON.parse(text.slice(FORMAT.length)) as Invoice;
}
