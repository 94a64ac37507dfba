/** What a tenant's cache has in S3. */
import { expect } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { TenantId } from '../../lib/ids.ts';
import { cacheBlob } from '../../lib/keys.ts';
import { generationOf, tenantState } from './tenant-state.ts';

type Asked = Pick<App, 'config' | 'redis' | 'blobs'>;

/** All of its objects, those to be deleted included. */
export const blobsOf = async (app: Asked, id: TenantId) => (await app.blobs.list({ prefix: cacheBlob(id, '') })).items;

/** The bytes of its only object. */
export async function storedBlob(app: Asked, id: TenantId): Promise<Buffer> {
  const [only, ...others] = await blobsOf(app, id);
  expect(others).toEqual([]);
  return (await app.blobs.get(only?.key ?? ''))?.body ?? expect.fail('there is none');
}

/** Objects the index names as to be deleted, perhaps twice: ULID and when, Unix ms. */
export async function doomedOf(app: Asked, id: TenantId): Promise<readonly (readonly [ulid: string, at: number])[]> {
  const index = (await tenantState(app, id)).index as readonly string[];
  return index
    .filter((member) => member.startsWith('d\0'))
    .map((member) => [member.slice(17), Number(member.slice(2, 16))]);
}

/** As if so much time had passed: all of them are due. @param atMs when they fell due; before every checkpoint, unless told. */
export async function letDoomedFallDue(
  app: Asked,
  keys: { index(id: TenantId, g: number): string },
  id: TenantId,
  atMs = 1,
) {
  const index = keys.index(id, await generationOf(app, id));
  for (const [ulid, at] of await doomedOf(app, id)) {
    const member = (ms: number) => `d\0${String(ms).padStart(14, '0')}\0${ulid}`;
    await app.redis.send(['ZREM', index, member(at)], { kind: 'write' });
    await app.redis.send(['ZADD', index, 0, member(Math.min(at, atMs))], { kind: 'write' });
  }
}
