import type { Result } from '../http/result.ts';
import { etagOf, type StoredTenant } from './record-format.ts';

/** The answer that holds a tenant; where it is new, also where to find it. */
export const tenantResult = (status: 200 | 201, { rev, tenant }: StoredTenant): Result => ({
  status,
  headers: { etag: etagOf(rev), ...(status === 201 ? { location: `/admin/tenants/${tenant.id}` } : {}) },
  data: tenant,
});
