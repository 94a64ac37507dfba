/** A month's invoice as an answer: JSON, or the table. A table says of itself when it is a simulation. */
import type { Result } from '../http/result.ts';
import type { TenantBillingResponse } from './contract.ts';
import { invoiceCsv } from './csv.ts';

export function billingReply(invoice: TenantBillingResponse, format: 'json' | 'csv'): Result {
  if (format === 'json') return { status: 200, data: invoice };
  const { tenant_id, period, simulated_plan } = invoice;
  const name = [tenant_id, period, ...(simulated_plan === null ? [] : ['simulated', simulated_plan])].join('-');
  const headers = {
    'content-type': 'text/csv; charset=utf-8',
    'content-disposition': `attachment; filename="${name}.csv"`,
  };
  return {
    status: 200,
    headers,
    bytes: Buffer.from(invoiceCsv(simulated_plan === null ? invoice : { ...invoice, status: 'simulated' })),
  };
}
