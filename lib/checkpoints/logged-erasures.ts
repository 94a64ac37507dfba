/** Which tenants of a checkpoint were erased: S3 has a log of it, which an empty Redis has not. */
import type { BlobStore } from '../blobs/store.ts';
import type { TenantId } from '../ids.ts';
import { erasureLogBlob, type Keys } from '../keys.ts';
import type { RedisDriver } from '../redis/driver.ts';

const PAGE = 100;

export type LoggedErasures = ReturnType<typeof createLoggedErasures>;

export function createLoggedErasures(deps: {
  readonly redis: RedisDriver;
  readonly blobs: Pick<BlobStore, 'head'>;
  readonly keys: Keys;
}) {
  const { redis, blobs, keys } = deps;

  /** Whether it was erased, or that has begun. @throws {BlobUnavailableError} */
  const isErased = async (id: TenantId, signal?: AbortSignal): Promise<boolean> =>
    (await blobs.head(erasureLogBlob(id), { signal })) !== null;

  /** Those that serve are not erased: only the others are looked for in S3. */
  const mayBeErased = async (ids: readonly TenantId[], signal?: AbortSignal): Promise<readonly TenantId[]> => {
    const found = await redis.sendAll(
      ids.map((id) => ['HGET', keys.gate(id), 'h']),
      { kind: 'read', signal },
    );
    return ids.filter((_, i) => !/^h1,(?:active|suspended),/.test(String(found[i])));
  };

  return {
    isErased,

    /** Without those that were erased. A round trip for each 100, and a call of S3 for each that does not serve. */
    async without<T extends { readonly tenant: TenantId }>(
      lines: readonly T[],
      signal?: AbortSignal,
    ): Promise<readonly T[]> {
      const kept: T[] = [];
      for (let at = 0; at < lines.length; at += PAGE) {
        const page = lines.slice(at, at + PAGE);
        const doubtful = new Set(
          await mayBeErased(
            page.map(({ tenant }) => tenant),
            signal,
          ),
        );
        for (const line of page)
          if (!doubtful.has(line.tenant) || !(await isErased(line.tenant, signal))) kept.push(line);
      }
      return kept;
    },
  };
}
