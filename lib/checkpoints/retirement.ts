/** Removes checkpoints that are not kept any more, and the data objects that no other one names. */
import type { BlobStore } from '../blobs/store.ts';
import type { StateConfig } from '../config/config.ts';
import { CHECKPOINT_DATA, CHECKPOINT_PARTS, type Keys } from '../keys.ts';
import type { Telemetry } from '../metrics/telemetry.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { type CheckpointStore, isUnreadable } from './checkpoint-store.ts';
import { namedObjects } from './format/manifest.ts';
import type { CheckpointHeader } from './format/manifest-schema.ts';
import { chooseRetired } from './format/retention-policy.ts';

/** Objects of jobs that never ended are swept up later than any job runs. */
const ORPHANED_MS = 86_400_000;

export interface RetirementReport {
  readonly retired: number;
  readonly objects: number;
}

export type Retirement = ReturnType<typeof createRetirement>;

export function createRetirement(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly blobs: BlobStore;
  readonly store: CheckpointStore;
  readonly config: Pick<StateConfig, 'maxCheckpoints' | 'keptHourly' | 'keptDaily' | 'keptWeekly'>;
  readonly telemetry: Pick<Telemetry, 'logger'>;
  /** Unix ms. */
  readonly now: () => number;
}) {
  const { redis, keys, blobs, store, config, telemetry, now } = deps;

  /** Null: it is gone, or cannot be read. */
  const manifestOf = async (id: string, signal?: AbortSignal) => {
    try {
      return { manifest: await store.findManifest(id, signal), readable: true };
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      telemetry.logger.error('A checkpoint cannot be read: what it consists of is kept', { checkpoint: id, error });
      return { manifest: null, readable: false };
    }
  };

  /** Null: one cannot be read, so what it names is not known, and nothing may go. */
  const namedBy = async (ids: readonly string[], signal?: AbortSignal): Promise<ReadonlySet<string> | null> => {
    const names = new Set<string>();
    for (const id of ids) {
      const { manifest, readable } = await manifestOf(id, signal);
      if (!readable) return null;
      if (manifest !== null) for (const { name } of namedObjects(manifest)) names.add(name);
    }
    return names;
  };

  const standing = async (signal?: AbortSignal) => {
    const ids = await store.ids(signal);
    const headers = await store.headers(ids, signal);
    return { ids, found: headers.filter((header): header is CheckpointHeader => header !== null) };
  };

  const retire = async ({ id }: CheckpointHeader, others: readonly string[], signal?: AbortSignal): Promise<number> => {
    const { manifest } = await manifestOf(id, signal);
    const needed = manifest === null ? null : await namedBy(others, signal);
    await store.deleteManifest(id, signal);
    if (manifest === null || needed === null) return 0;
    const gone = [...namedObjects(manifest)].filter(({ name }) => !needed.has(name));
    await store.deleteObjects(gone, signal);
    return gone.length;
  };

  return {
    /**
     * Ended anywhere, the next run goes on; what it left behind without a manifest, `sweep` finds.
     * @param runningSinceMs when one that is written now was begun.
     */
    async run(
      { runningSinceMs }: { readonly runningSinceMs: number },
      signal?: AbortSignal,
    ): Promise<RetirementReport> {
      const { ids, found } = await standing(signal);
      const ladder = {
        max: config.maxCheckpoints,
        hourly: config.keptHourly,
        daily: config.keptDaily,
        weekly: config.keptWeekly,
      };
      const kept = found.map((header) => ({ ...header, startedAtMs: Date.parse(header.started_at) }));
      const retired = chooseRetired(kept, { ladder, nowMs: now() });
      const going = new Set(retired.map(({ id }) => id));
      const staying = ids.filter((id) => !going.has(id));
      let objects = 0;
      for (const checkpoint of retired) {
        // Also those that go after it: objects they share go with the last.
        const later = retired.slice(retired.indexOf(checkpoint) + 1).map(({ id }) => id);
        objects += await retire(checkpoint, [...staying, ...later], signal);
      }
      const starts = kept.filter(({ id }) => !going.has(id)).map(({ startedAtMs }) => startedAtMs);
      const oldest = Math.min(runningSinceMs, ...starts);
      await redis.send(['SET', keys.checkpointsOldest(), oldest], { kind: 'write', signal });
      return { retired: retired.length, objects };
    },

    /** Objects of no checkpoint, a day old: of jobs that never ended. Looks at all there are. @returns how many went. */
    async sweep(signal?: AbortSignal): Promise<number> {
      const before = now() - ORPHANED_MS;
      const named = await namedBy(await store.ids(signal), signal);
      if (named === null) return 0;
      let swept = 0;
      for (const prefix of [CHECKPOINT_DATA, CHECKPOINT_PARTS]) {
        let cursor: string | undefined;
        do {
          const page = await blobs.list({ prefix, cursor }, { signal });
          const orphans = page.items.filter(
            ({ key, modifiedAtMs }) => modifiedAtMs < before && !named.has(nameOf(key)),
          );
          if (orphans.length > 0)
            await blobs.delete(
              orphans.map(({ key }) => key),
              { signal },
            );
          swept += orphans.length;
          cursor = page.nextCursor ?? undefined;
        } while (cursor !== undefined && !signal?.aborted);
      }
      return swept;
    },
  };
}

const nameOf = (key: string): string => key.slice(key.lastIndexOf('/') + 1).replace(/\.ckpt$/, '');
