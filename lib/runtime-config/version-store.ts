/**
 * Versions of the configuration, and which is active. S3 decides: what is written there once is what Redis has after any kill,
 * and after Redis was lost. Redis is what instances look at.
 */
import { packEntry } from '../audit/entry.ts';
import type { BlobStore } from '../blobs/store.ts';
import { CONFIG_ACTIVE, CONFIG_VERSIONS, configVersionBlob, type Keys } from '../keys.ts';
import { activateConfig } from '../redis/bindings/config-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { asTextOrNull } from '../redis/reply-shape.ts';
import { runScript } from '../redis/script.ts';
import {
  type Active,
  NOTHING_ACTIVE,
  packActive,
  packStoredActive,
  type StoredActive,
  unpackActive,
  unpackStoredActive,
} from './active-format.ts';
import { type ConfigVersion, DEPLOYED, packVersion, unpackVersion } from './version-format.ts';

export type VersionStore = ReturnType<typeof createVersionStore>;

/** What S3 knows of the active version; `etag` null: nothing yet. */
export interface FoundActive {
  readonly stored: StoredActive | null;
  readonly etag: string | null;
}

/** Every method throws as RedisDriver.send and BlobStore's; nothing is half-written then. */
export function createVersionStore(deps: {
  readonly redis: RedisDriver;
  readonly blobs: Pick<BlobStore, 'get' | 'put' | 'list'>;
  readonly keys: Keys;
}) {
  const { redis, blobs, keys } = deps;

  const readVersion = async (version: number, signal?: AbortSignal): Promise<ConfigVersion | null> => {
    if (version === 0) return DEPLOYED;
    const found = await blobs.get(configVersionBlob(version), { signal });
    return found === null ? null : unpackVersion(found.body.toString('utf8'));
  };

  return {
    /** One of S3; null: there is none. 0 is what the deployment starts with. */
    readVersion,

    /** Those an instance needs: of Redis, one round trip; and where it has them no more, of S3. Null: there is none. */
    async readInUse(versions: readonly number[], signal?: AbortSignal): Promise<readonly (ConfigVersion | null)[]> {
      const command = ['HMGET', keys.configVersions(), ...versions] as const;
      const texts = (await redis.send(command, { kind: 'read', signal })) as readonly (string | null)[];
      return Promise.all(
        versions.map((version, i) => {
          const text = texts[i] ?? null;
          return text === null ? readVersion(version, signal) : unpackVersion(text);
        }),
      );
    },

    /** Writes a version that nobody has written. False: somebody has. */
    async writeVersion(version: ConfigVersion, signal?: AbortSignal): Promise<boolean> {
      const key = configVersionBlob(version.version);
      const body = Buffer.from(packVersion(version));
      const written = await blobs.put({ key, body, contentType: 'application/json', onlyIf: 'absent' }, { signal });
      return written !== null;
    },

    /** The number of the newest version; at least `from`, which is one that there is, or 0. */
    async newest(from: number, signal?: AbortSignal): Promise<number> {
      let cursor: string | null = from === 0 ? null : configVersionBlob(from);
      let newest = from;
      for (;;) {
        const page = await blobs.list({ prefix: CONFIG_VERSIONS, cursor: cursor ?? undefined }, { signal });
        const last = page.items.at(-1);
        if (last !== undefined) newest = Number(/(\d+)\.json$/.exec(last.key)?.[1] ?? newest);
        cursor = page.nextCursor;
        if (cursor === null) return newest;
      }
    },

    /** What S3 says is active. */
    async readStored(signal?: AbortSignal): Promise<FoundActive> {
      const found = await blobs.get(CONFIG_ACTIVE, { signal });
      if (found === null) return { stored: null, etag: null };
      return { stored: unpackStoredActive(found.body.toString('utf8')), etag: found.etag };
    },

    /** What Redis says is active. */
    async readActive(signal?: AbortSignal): Promise<Active> {
      const text = asTextOrNull(await redis.send(['GET', keys.configActive()], { kind: 'read', signal }));
      return text === null ? NOTHING_ACTIVE : unpackActive(text);
    },

    /** Decides what is active, if nobody else has since it was read. */
    async writeStored(active: StoredActive, etag: string | null, signal?: AbortSignal): Promise<boolean> {
      const onlyIf = etag === null ? 'absent' : { etag };
      const body = Buffer.from(packStoredActive(active));
      return (
        (await blobs.put({ key: CONFIG_ACTIVE, body, contentType: 'application/json', onlyIf }, { signal })) !== null
      );
    },

    /** Puts what S3 has decided into Redis, and into the audit log: once, however often it is called. */
    async publish(active: StoredActive, inUse: readonly ConfigVersion[], signal?: AbortSignal): Promise<void> {
      const { rev, entry } = active;
      await runScript(redis, activateConfig, {
        keys: {
          active: keys.configActive(),
          versions: keys.configVersions(),
          pending: keys.auditPending(),
          seen: keys.auditSeen(),
        },
        args: {
          rev,
          text: packActive(active),
          entryId: entry.id,
          entry: packEntry(entry),
          inUse: inUse.flatMap((version) => [version.version, packVersion(version)]),
        },
        kind: 'write',
        signal,
      });
    },
  };
}
