/** Checkpoints in S3: manifests, the data objects they name, and what the steps of one that is written have come to. */
import type { BlobStore } from '../blobs/store.ts';
import type { TenantCipher } from '../crypto/tenant-cipher.ts';
import { CheckpointFormatError, CorruptValueError, NotFoundError } from '../errors.ts';
import type { ContextData } from '../gate/context-format.ts';
import { CHECKPOINT_ID, newUlid, type TenantId } from '../ids.ts';
import {
  CHECKPOINTS,
  checkpointBlob,
  checkpointDataBlob,
  checkpointDataPrefix,
  checkpointPartBlob,
  checkpointPartPrefix,
  checkpointVerdictBlob,
  DEPLOYMENT,
} from '../keys.ts';
import type { ObjectSource } from './format/frame-reader.ts';
import { decodeManifest, encodeManifest, MAX_MANIFEST_BYTES } from './format/manifest.ts';
import { decodePart, encodePart, type PartLine } from './format/manifest-part.ts';
import { CheckpointHeader, type CheckpointManifest } from './format/manifest-schema.ts';
import type { ObjectSink } from './format/object-writer.ts';
import { type CheckpointVerdict, decodeVerdict, encodeVerdict, MAX_VERDICT_BYTES } from './format/verdict.ts';

/** Of the object's metadata: the header, so that a list needs no manifest whole. */
const HEADER = 'checkpoint-header';
const AT_ONCE = 8;

export type CheckpointStore = ReturnType<typeof createCheckpointStore>;

export function createCheckpointStore(deps: {
  readonly blobs: BlobStore;
  readonly cipher: TenantCipher;
  /** Unix ms; only in names. */
  readonly now: () => number;
}) {
  const { blobs, cipher, now } = deps;
  let known: CheckpointManifest | null = null;
  let deployment: string | null = null;

  const readDeployment = async (signal?: AbortSignal): Promise<string | null> => {
    const found = await blobs.get(DEPLOYMENT, { maxBytes: 1_024, signal });
    if (found === null) return null;
    const id = (JSON.parse(found.body.toString('utf8')) as { readonly id?: unknown }).id;
    if (typeof id !== 'string') throw new CorruptValueError('The object that names the deployment cannot be read');
    return id;
  };

  const readManifest = async (id: string, signal?: AbortSignal): Promise<CheckpointManifest | null> => {
    const found = await blobs.get(checkpointBlob(id), { maxBytes: MAX_MANIFEST_BYTES, signal });
    if (found === null) return null;
    const manifest = await decodeManifest(found.body);
    if (manifest.header.id !== id) throw new CorruptValueError('The manifest of a checkpoint is that of another one');
    known = manifest;
    return manifest;
  };

  const findManifest = async (id: string, signal?: AbortSignal): Promise<CheckpointManifest | null> =>
    known?.header.id === id ? known : readManifest(id, signal);

  const headerOf = async (id: string, signal?: AbortSignal): Promise<CheckpointHeader | null> => {
    const info = await blobs.head(checkpointBlob(id), { signal });
    if (info === null) return null;
    const told = parseHeader(info.metadata[HEADER]);
    return told?.id === id ? told : ((await findManifest(id, signal))?.header ?? null);
  };

  const deleteAll = async (prefix: string, signal?: AbortSignal): Promise<void> => {
    for (;;) {
      const { items } = await blobs.list({ prefix }, { signal });
      if (items.length === 0) return;
      await blobs.delete(
        items.map(({ key }) => key),
        { signal },
      );
    }
  };

  return {
    /** Whose bucket this is: a ULID, made when it is first asked for. @throws {BlobUnavailableError} */
    async deployment(signal?: AbortSignal): Promise<string> {
      deployment ??= await readDeployment(signal);
      if (deployment !== null) return deployment;
      const body = Buffer.from(JSON.stringify({ id: newUlid(now()) }));
      await blobs.put({ key: DEPLOYMENT, body, contentType: 'application/json', onlyIf: 'absent' }, { signal });
      deployment = await readDeployment(signal);
      return deployment as string;
    },

    /** Ids of all checkpoints, the newest first. @throws {BlobUnavailableError} */
    async ids(signal?: AbortSignal): Promise<readonly string[]> {
      const ids: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await blobs.list({ prefix: CHECKPOINTS, cursor }, { signal });
        for (const { key } of page.items) {
          const id = key.slice(CHECKPOINTS.length, -'.ckpt'.length);
          if (CHECKPOINT_ID.test(id) && key === checkpointBlob(id)) ids.push(id);
        }
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      return ids.toSorted().reverse();
    },

    /** What they are; of one that cannot be read, or is gone, null. @throws {BlobUnavailableError} */
    async headers(ids: readonly string[], signal?: AbortSignal): Promise<readonly (CheckpointHeader | null)[]> {
      const headers: (CheckpointHeader | null)[] = [];
      for (let at = 0; at < ids.length; at += AT_ONCE) {
        const some = ids.slice(at, at + AT_ONCE).map((id) =>
          headerOf(id, signal).catch((error: unknown) => {
            if (isUnreadable(error)) return null;
            throw error;
          }),
        );
        headers.push(...(await Promise.all(some)));
      }
      return headers;
    },

    /** Null: there is none. @throws {CorruptValueError | CheckpointFormatError} it cannot be used. */
    findManifest,

    /** As it stands in S3 now, whatever is known of it. Null: there is none. @throws as `findManifest`. */
    readManifest,

    /** @throws {BlobUnavailableError} */
    exists: async (id: string, signal?: AbortSignal): Promise<boolean> =>
      (await blobs.head(checkpointBlob(id), { signal })) !== null,

    /** Instead of the one before. @throws {BlobUnavailableError} */
    putVerdict: async (id: string, verdict: CheckpointVerdict, signal?: AbortSignal): Promise<void> => {
      const body = Buffer.from(encodeVerdict(verdict));
      await blobs.put({ key: checkpointVerdictBlob(id), body, contentType: 'application/json' }, { signal });
    },

    /** Null: it was not verified, or what came of that cannot be read. @throws {BlobUnavailableError} */
    async findVerdict(id: string, signal?: AbortSignal): Promise<CheckpointVerdict | null> {
      const found = await blobs.get(checkpointVerdictBlob(id), { maxBytes: MAX_VERDICT_BYTES, signal });
      return found === null ? null : decodeVerdict(found.body.toString('utf8'));
    },

    deleteVerdict: (id: string, signal?: AbortSignal): Promise<void> =>
      blobs.delete([checkpointVerdictBlob(id)], { signal }),

    /** @throws {NotFoundError} `checkpoint_not_found`. @throws as `findManifest`. */
    async getManifest(id: string, signal?: AbortSignal): Promise<CheckpointManifest> {
      const found = await findManifest(id, signal);
      if (found === null) throw new NotFoundError('checkpoint_not_found', 'No such checkpoint');
      return found;
    },

    /** Writes it, once: one that stands under its id is given back instead. */
    async putManifest(manifest: CheckpointManifest, signal?: AbortSignal): Promise<CheckpointManifest> {
      const { header } = manifest;
      const body = await encodeManifest(manifest);
      const metadata = { [HEADER]: Buffer.from(JSON.stringify(header)).toString('base64url') };
      const put = await blobs.put({ key: checkpointBlob(header.id), body, metadata, onlyIf: 'absent' }, { signal });
      if (put !== null) return manifest;
      return (await findManifest(header.id, signal)) ?? manifest;
    },

    /** And what was found when it was verified. */
    deleteManifest: async (id: string, signal?: AbortSignal): Promise<void> => {
      if (known?.header.id === id) known = null;
      await blobs.delete([checkpointBlob(id), checkpointVerdictBlob(id)], { signal });
    },

    /** @returns its name, a new one each time: one who was given up and still writes takes no other's place. */
    async putPart(id: string, lines: readonly PartLine[], signal?: AbortSignal): Promise<string> {
      const name = newUlid(now());
      await blobs.put({ key: checkpointPartBlob(id, name), body: encodePart(lines) }, { signal });
      return name;
    },

    /** @throws {CorruptValueError} one is missing, or is not what was written. */
    async *readParts(id: string, names: readonly string[], signal?: AbortSignal): AsyncGenerator<readonly PartLine[]> {
      for (const name of names) {
        const found = await blobs.get(checkpointPartBlob(id, name), { signal });
        if (found === null) throw new CorruptValueError('A part of a checkpoint is missing');
        yield decodePart(found.body);
      }
    },

    /** All there are, also those of steps that were done again. */
    deleteParts: (id: string, signal?: AbortSignal): Promise<void> => deleteAll(checkpointPartPrefix(id), signal),

    sinkOf:
      (tenant: TenantId, signal?: AbortSignal): ObjectSink =>
      async (name, body) => {
        await blobs.put({ key: checkpointDataBlob(tenant, name), body }, { signal });
      },

    /** Where the objects of a tenant are. @param context with its keys; null: what is sealed does not open. */
    sourceOf: (tenant: TenantId, context: ContextData, signal?: AbortSignal): ObjectSource => ({
      async read(name, range) {
        const found = await blobs.get(checkpointDataBlob(tenant, name), { range, signal });
        return found?.body ?? null;
      },
      open: (text, parts) => cipher.open(tenant, context, text, parts),
    }),

    deleteObjects: (objects: readonly { readonly tenant: TenantId; readonly name: string }[], signal?: AbortSignal) =>
      blobs.delete(
        objects.map(({ tenant, name }) => checkpointDataBlob(tenant, name)),
        { signal },
      ),

    /** All that checkpoints have of a tenant, whichever name it. */
    deleteTenant: (tenant: TenantId, signal?: AbortSignal): Promise<void> =>
      deleteAll(checkpointDataPrefix(tenant), signal),
  };
}

/** Whether a checkpoint that fails so is there and cannot be used: it is damaged, or a newer version wrote it. */
export const isUnreadable = (error: unknown): boolean =>
  error instanceof CorruptValueError || error instanceof CheckpointFormatError;

function parseHeader(metadata: string | undefined): CheckpointHeader | null {
  if (metadata === undefined) return null;
  try {
    return CheckpointHeader.parse(JSON.parse(Buffer.from(metadata, 'base64url').toString('utf8')));
  } catch {
    return null;
  }
}
