/** A month's invoice as an answer: JSON, or the table. */
import type { Result } from '../http/result.ts';
import type { TenantBillingResponse } from './contract.ts';
import { invoiceCsv } from './csv.ts';

export function billingReply(invoice: TenantBillingResponse, format: 'json' | 'csv'): Result {
  if (format === 'json') return { status: 200, data: invoice };
  const headers = {
    'content-type': 'text/csv; charset=utf-8',
    'content-disposition': `attachment; filename="${invoice.tenant_id}-${invoice.period}.csv"`,
  };
  return { status: 200, headers, bytes: Buffer.from(invoiceCsv(invoice)) };
}
