import type { TenantId } from '../ids.ts';
import type { TenantContext } from './context-format.ts';

/** What this instance knows of the tenants it served last; bounded, least recently used first out. */
export function createContexts(maxTenants: number) {
  const known = new Map<TenantId, TenantContext>();
  return {
    find(id: TenantId): TenantContext | undefined {
      const context = known.get(id);
      if (context !== undefined && known.size >= maxTenants / 2) {
        known.delete(id);
        known.set(id, context);
      }
      return context;
    },
    keep(id: TenantId, context: TenantContext): void {
      if (known.size >= maxTenants && !known.has(id)) known.delete(known.keys().next().value as TenantId);
      known.set(id, context);
    },
  };
}

export type Contexts = ReturnType<typeof createContexts>;
