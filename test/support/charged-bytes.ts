import type { App } from '../../lib/app.ts';
import type { TenantId } from '../../lib/ids.ts';
import { unescapeControls } from '../../lib/keys.ts';
import { keysOf, tenantState } from './tenant-state.ts';

const ENTRY_OVERHEAD_BYTES = 200;

/** What a tenant's cache entries must be charged together, from what stands in Redis. */
export async function chargedBytes(app: App, id: TenantId): Promise<number> {
  const index = (await tenantState(app, id)).index as readonly string[];
  const names = index.flatMap((member) => {
    const [part, kind, namespace = '', key = ''] = member.split('\0');
    return part === 'k' && kind === 'c'
      ? [keysOf(app).cacheEntry(id, 1, { namespace, key: unescapeControls(key) })]
      : [];
  });
  const sizes = await app.redis.sendAll(
    names.map((name) => ['STRLEN', name]),
    { kind: 'read' },
  );
  return names.reduce((sum, name, i) => sum + Buffer.byteLength(name) + Number(sizes[i]) + ENTRY_OVERHEAD_BYTES, 0);
}
