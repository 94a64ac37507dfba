/**
 * Exports in S3. Each frame is an object of its own, with a name of its own each time, so that who writes it again breaks no
 * export that is made of the first; the manifest, written last and once, says which of them it consists of, in their order.
 * One after the other they are what export-format.ts describes. Of tenants that encrypt each frame is sealed as values are.
 */
import type { BlobStore } from '../../blobs/store.ts';
import type { TenantCipher } from '../../crypto/tenant-cipher.ts';
import { CorruptValueError, NotFoundError } from '../../errors.ts';
import type { TenantContext } from '../../gate/context-format.ts';
import { newUlid, type TenantId } from '../../ids.ts';
import { exportPrefix } from '../../keys.ts';
import { toObjectBytes, toPayload } from '../large/blob-format.ts';
import { openFrame } from './export-format.ts';
import { type ExportFrame, type ExportManifest, manifestOf, parseManifest } from './export-manifest.ts';

export interface StoredFrame extends ExportFrame {
  /** Its object's name within the export. */
  readonly object: string;
}

/** What a manifest says beside the frames. */
export interface ExportFacts {
  readonly tenant_id: TenantId;
  readonly namespace: string;
  readonly prefix: string;
  /** Frames are under a data key of the tenant. */
  readonly sealed: boolean;
}

export interface StoredExport extends ExportFacts {
  readonly manifest: ExportManifest;
  readonly objects: readonly string[];
  /** The folder. */
  readonly folder: string;
}

export type ExportStore = ReturnType<typeof createExportStore>;

const MAX_MANIFEST_BYTES = 64 * 1024 * 1024;
const MANIFEST = 'manifest.json';

/** Where a job's objects are. */
export const exportFolder = (id: TenantId, jobId: string): string => `${exportPrefix(id)}${jobId}/`;
export const manifestKey = (id: TenantId, jobId: string): string => `${exportFolder(id, jobId)}${MANIFEST}`;

export function createExportStore(deps: {
  readonly blobs: BlobStore;
  readonly cipher: TenantCipher;
  /** Unix ms; only in names. */
  readonly now: () => number;
}) {
  const { blobs, cipher, now } = deps;

  const readManifest = async (id: TenantId, key: string, signal?: AbortSignal): Promise<StoredExport | null> => {
    const found = await blobs.get(key, { maxBytes: MAX_MANIFEST_BYTES, signal });
    return found === null ? null : parseExport(found.body.toString('utf8'), id, key.slice(0, -MANIFEST.length));
  };

  return {
    /** Writes a frame. @param context null: it is not sealed. */
    async putFrame(
      {
        id,
        folder,
        context,
      }: { readonly id: TenantId; readonly folder: string; readonly context: TenantContext | null },
      { bytes, frame }: { readonly bytes: Buffer; readonly frame: ExportFrame },
      signal?: AbortSignal,
    ): Promise<StoredFrame> {
      const seal = context === null ? null : await cipher.sealer(id, context);
      const object = `${newUlid(now())}.${seal === null ? 'ndjson.lz4' : 'sealed'}`;
      const body = seal === null ? bytes : toObjectBytes('graw', seal(bytes, sealedParts(folder, object)));
      await blobs.put({ key: folder + object, body }, { signal });
      return { ...frame, object };
    },

    /** Writes the manifest, once: another one of the same job is given back instead. */
    async putManifest(
      folder: string,
      facts: ExportFacts,
      frames: readonly StoredFrame[],
      signal?: AbortSignal,
    ): Promise<StoredExport> {
      const manifest = manifestOf(frames.map(({ object: _object, ...frame }) => frame));
      const objects = frames.map(({ object }) => object);
      const body = Buffer.from(JSON.stringify({ ...facts, ...manifest, objects }));
      const key = folder + MANIFEST;
      const put = await blobs.put({ key, body, contentType: 'application/json', onlyIf: 'absent' }, { signal });
      if (put !== null) return { ...facts, manifest, objects, folder };
      return (await readManifest(facts.tenant_id, key, signal)) as StoredExport;
    },

    /**
     * An export of this tenant by its manifest.
     * @throws {NotFoundError} `export_not_found`. @throws {CorruptValueError} its manifest cannot be used.
     */
    async find(id: TenantId, key: string, signal?: AbortSignal): Promise<StoredExport> {
      const isOurs =
        key.startsWith(exportPrefix(id)) &&
        /^job-[0-9a-z]{26}\/manifest\.json$/.test(key.slice(exportPrefix(id).length));
      const found = isOurs ? await readManifest(id, key, signal) : null;
      if (found === null) throw new NotFoundError('export_not_found', 'No such export of this tenant');
      return found;
    },

    /** The lines of a frame. @throws {CorruptValueError} it is missing, or not what was written. @throws as TenantCipher.open. */
    async readFrame(
      { manifest, objects, folder, tenant_id }: StoredExport,
      n: number,
      {
        context,
        maxValueBytes,
        signal,
      }: { readonly context: TenantContext; readonly maxValueBytes: number; readonly signal?: AbortSignal },
    ): Promise<Buffer> {
      const [frame, object] = [manifest.frames[n] as ExportFrame, objects[n] as string];
      const found = await blobs.get(folder + object, { maxBytes: frame.length + MAX_SEAL_BYTES, signal });
      if (found === null) throw new CorruptValueError('A frame of the export is missing');
      const bytes = isSealed(object)
        ? await cipher.open(tenant_id, context, toPayload('graw', found.body), sealedParts(folder, object))
        : found.body;
      return openFrame(bytes, frame, maxValueBytes);
    },

    /** Writes a report beside an export. */
    async putReport(key: string, lines: readonly object[], signal?: AbortSignal): Promise<void> {
      const body = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
      await blobs.put({ key, body, contentType: 'application/x-ndjson' }, { signal });
    },
  };
}

/** What sealing adds. */
const MAX_SEAL_BYTES = 64;

/** A tenant may begin to encrypt while it is exported: each frame is as it was then. */
export const isSealed = (object: string): boolean => object.endsWith('.sealed');

const sealedParts = (folder: string, object: string) => ['x', folder + object];

function parseExport(json: string, id: TenantId, folder: string): StoredExport {
  const manifest = parseManifest(json);
  const { tenant_id, namespace, prefix, sealed, objects } = JSON.parse(json) as Partial<StoredExport>;
  const isNamed =
    Array.isArray(objects) &&
    objects.length === manifest.frames.length &&
    objects.every((name) => /^[0-9a-z]{26}\.(?:ndjson\.lz4|sealed)$/.test(name));
  if (!isNamed || tenant_id !== id || typeof namespace !== 'string' || typeof prefix !== 'string')
    throw new CorruptValueError('The manifest of the export cannot be used: it does not name its objects');
  return { tenant_id, namespace, prefix, sealed: sealed === true, objects, manifest, folder };
}
