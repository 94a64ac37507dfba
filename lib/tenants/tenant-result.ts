import type { Result } from '../http/result.ts';
import { etagOf, type StoredTenant } from './record-format.ts';

/** The answer that holds a tenant. */
export const tenantResult = (status: 200 | 201, { rev, tenant }: StoredTenant): Result => ({
  status,
  headers: { etag: etagOf(rev) },
  data: tenant,
});
