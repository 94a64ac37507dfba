/**
 * Writes the data of a session that is to be made where there is no room for it in Redis: its object first, its stub after. Who
 * dies in between leaves an object that is collected.
 */
import { newUlid } from '../../ids.ts';
import type { Keys } from '../../keys.ts';
import { registerObject } from '../../redis/bindings/object-scripts.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { runScript } from '../../redis/script.ts';
import type { TenantPlace } from '../../tenants/tenant-place.ts';
import type { SessionBlobs } from './session-blobs.ts';
import { encodeSessionObject } from './session-object.ts';
import { OBJECT_MS } from './spill-steps.ts';

/** The first of a session; it has no place among the tenant's writes yet. */
const NEW = { version: 1, seq: 0 };

export interface ColdCreation {
  /**
   * @param fields names and stored texts by turns.
   * @returns where it is, as create-session takes it; null: there is no such tenant.
   * @throws {BlobUnavailableError} the object is collected, if it was written.
   */
  write(place: TenantPlace, ulid: string, fields: readonly string[]): Promise<string | null>;
}

export function createColdCreation(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly sessionBlobs: Pick<SessionBlobs, 'put'>;
  /** Unix ms; only in names. */
  readonly now: () => number;
}): ColdCreation {
  const { redis, keys, sessionBlobs, now } = deps;
  return {
    async write({ id, generation, signal }, ulid, fields) {
      const objectUlid = newUlid(now());
      const untilMs = await runScript(redis, registerObject, {
        keys: { gate: keys.gate(id), index: keys.index(id, generation) },
        args: { object: `${objectUlid}.${ulid}`, forMs: OBJECT_MS },
        kind: 'write',
        signal,
      });
      if (untilMs === 0) return null;
      const pairs = new Map(
        fields.flatMap((name, i) => (i % 2 === 0 ? [[name, fields[i + 1] as string] as const] : [])),
      );
      const object = await encodeSessionObject({ tenantId: id, sessionUlid: ulid, ...NEW, fields: pairs });
      await sessionBlobs.put(id, objectUlid, object, signal);
      const dataBytes = fields.reduce((sum, text) => sum + Buffer.byteLength(text), 0) - 2 * pairs.size;
      const { bytes, sha256, rawBytes } = object;
      return [objectUlid, bytes.length, sha256, rawBytes, untilMs, dataBytes, pairs.size].join(',');
    },
  };
}
