/** Exporting a namespace: what it takes and gives. */
import * as z from 'zod';
import { admin, defineContract } from '../../http/contract.ts';
import { TenantIdField } from '../../http/fields.ts';
import { JobAcceptedResponse } from '../../jobs/contract.ts';
import { TENANT_PROBLEMS } from '../../tenants/contract.ts';
import { Namespace } from '../contract.ts';

export const ExportCacheRequest = z.strictObject({
  tenant_id: TenantIdField,
  namespace: Namespace,
  prefix: z.string().max(1_024).default('').describe('Only keys that begin so.'),
  plaintext: z
    .boolean()
    .default(false)
    .describe('true: not encrypted, also of a tenant that encrypts. Else its export is under its data key.'),
});
export type ExportCacheRequest = z.output<typeof ExportCacheRequest>;

export const exportCacheContract = defineContract({
  method: 'POST',
  path: '/admin/cache/export',
  name: 'exportCache',
  summary: 'Write the entries of a namespace to S3, as NDJSON in LZ4 frames; kept for 7 days',
  guard: admin,
  body: ExportCacheRequest,
  replies: {
    202: {
      description: 'A job, whose result names the manifest of the export',
      schema: JobAcceptedResponse,
      headers: { location: 'The job' },
    },
  },
  problems: [...TENANT_PROBLEMS, 'deletion_pending', 'job_limit_reached', 'store_full'],
});
