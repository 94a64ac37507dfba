/** A tenant's counters and index beside what is really stored. */
import { expect } from 'vitest';
import type { App } from '../../lib/app.ts';
import { parseHead } from '../../lib/cache/entry-format.ts';
import type { TenantId } from '../../lib/ids.ts';
import { unescapeControls } from '../../lib/keys.ts';
import { gateState } from './gate-state.ts';
import { expiryMember, keyMember } from './index-member.ts';
import { keysOf, tenantState } from './tenant-state.ts';

const ENTRY_OVERHEAD_BYTES = 200;

/** Fails unless every entry is counted, charged and indexed once, and nothing else is. @returns how many entries there are. */
export async function auditTenant(app: App, id: TenantId): Promise<number> {
  const index = (await tenantState(app, id)).index as readonly string[];
  const names = index.flatMap((member) => {
    const [part, , namespace, key] = member.split('\0') as [string, string, string, string];
    return part === 'k' ? [{ namespace, key: unescapeControls(key) }] : [];
  });
  const members: string[] = [];
  let memory = 0;
  for (const name of names) {
    const redisKey = keysOf(app).cacheEntry(id, 1, name);
    const stored = (await app.redis.send(['GET', redisKey], { kind: 'read' })) as string;
    const { head } = parseHead(stored);
    memory += Buffer.byteLength(redisKey) + Buffer.byteLength(stored) + ENTRY_OVERHEAD_BYTES;
    members.push(keyMember(name));
    if (head.expiresAtMs !== null) members.push(expiryMember(name, head.expiresAtMs));
  }
  expect([...index].sort()).toEqual(members.sort());
  const counted = await gateState(app, id).meter();
  expect(counted).toMatchObject({ memory: BigInt(memory), entries: BigInt(names.length) });
  return names.length;
}
