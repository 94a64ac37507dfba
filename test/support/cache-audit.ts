/** All that a tenant's cache has in Redis and S3, beside its counters: nothing off, nothing left over. */
import { expect } from 'vitest';
import type { App } from '../../lib/app.ts';
import { parseHead } from '../../lib/cache/entry-format.ts';
import type { TenantId } from '../../lib/ids.ts';
import { cacheBlob, unescapeControls } from '../../lib/keys.ts';
import { auditTenant } from './audit-tenant.ts';
import { blobsOf, doomedOf } from './cache-blobs.ts';
import { gateState } from './gate-state.ts';
import { generationOf, keysOf, tenantState } from './tenant-state.ts';

const READ = { kind: 'read' } as const;

/**
 * As {@link auditTenant}; and the bytes of values as given and as packed, the entries Redis has that no index lists, and the
 * objects in S3: each is of one entry or waits to be deleted, never both, and none is missing. Nobody may write meanwhile, and no
 * entry may have been damaged.
 * @returns how many entries there are.
 */
export async function auditCache(app: App, id: TenantId): Promise<number> {
  const count = await auditTenant(app, id);
  const listed = await listedEntries(app, id);
  expect([...(await storedEntries(app, id))].sort()).toEqual([...listed].sort());
  const texts = await Promise.all(listed.map((key) => app.redis.send(['GET', key], READ)));
  const heads = (texts as readonly string[]).map((text) => ({ text, ...parseHead(text) }));

  const packedBytes = ({ text, head, meta }: (typeof heads)[number]) => {
    const headBytes = text.indexOf('\n') + 1;
    const metaBytes = text.startsWith('c1') ? undefined : Number(text.split(',', 10)[9]);
    expect(metaBytes, JSON.stringify(meta)).toBeDefined();
    return head.blob?.bytes ?? Buffer.byteLength(text) - headBytes - (metaBytes ?? 0);
  };
  const sum = (bytes: readonly number[]) => BigInt(bytes.reduce((all, one) => all + one, 0));
  expect(await gateState(app, id).meter()).toMatchObject({
    raw: sum(heads.map(({ head }) => head.rawBytes)),
    packed: sum(heads.map(packedBytes)),
  });
  await auditObjects(
    app,
    id,
    heads.flatMap(({ head }) => head.blob ?? []),
  );
  return count;
}

/** Objects of entries are there, whole; the others are to be deleted, and those of entries are not. */
async function auditObjects(
  app: App,
  id: TenantId,
  used: readonly { readonly ulid: string; readonly bytes: number }[],
): Promise<void> {
  const doomed = new Set((await doomedOf(app, id)).map(([ulid]) => ulid));
  const objects = new Map((await blobsOf(app, id)).map(({ key, sizeBytes }) => [key, sizeBytes]));
  expect(new Set(used.map(({ ulid }) => ulid)).size).toBe(used.length);
  for (const { ulid, bytes } of used) {
    expect(objects.get(cacheBlob(id, ulid)), 'the object of an entry').toBe(bytes);
    expect(doomed.has(ulid), 'an object of an entry is to be deleted').toBe(false);
  }
  const known = new Set([...used.map(({ ulid }) => ulid), ...doomed].map((ulid) => cacheBlob(id, ulid)));
  expect([...objects.keys()].filter((key) => !known.has(key))).toEqual([]);
}

async function listedEntries(app: App, id: TenantId): Promise<readonly string[]> {
  const index = (await tenantState(app, id)).index as readonly string[];
  const generation = await generationOf(app, id);
  return index.flatMap((member) => {
    const [part, kind, namespace = '', key = ''] = member.split('\0');
    return part === 'k' && kind === 'c'
      ? [keysOf(app).cacheEntry(id, generation, { namespace, key: unescapeControls(key) })]
      : [];
  });
}

/** Keys of entries Redis has, whatever the index says: only a test may look through all keys. */
async function storedEntries(app: App, id: TenantId): Promise<ReadonlySet<string>> {
  const first = keysOf(app)
    .cacheEntry(id, await generationOf(app, id), { namespace: '', key: '' })
    .slice(0, -1);
  const found = new Set<string>();
  let cursor = '0';
  do {
    const reply = await app.redis.send(['SCAN', cursor, 'MATCH', `${first}*`, 'COUNT', 5_000], READ);
    const [next, keys] = reply as readonly [string, readonly string[]];
    for (const key of keys) found.add(key);
    cursor = String(next);
  } while (cursor !== '0');
  return found;
}
