/** What the list of tenants keeps of each: enough to filter and search without reading records. */
import type { StoredTenant } from './record-format.ts';

/** Arguments of the scripts that list a tenant. */
export const summaryOf = ({ rev, tenant }: StoredTenant) => ({
  rev,
  plan: tenant.plan,
  status: tenant.status,
  text: searchText(tenant),
});

/** Nothing is known of it but its audit entries. */
export const NO_SUMMARY = { rev: '', plan: '', status: '', text: '' } as const;

/** A search looks at name and owner, whatever their case. Fields hold no line breaks, so nothing matches across two. */
export function searchText({ name, owner }: Pick<StoredTenant['tenant'], 'name' | 'owner'>): string {
  return [name, owner.id, owner.name, owner.email, owner.organization ?? ''].join('\n').toLowerCase();
}
