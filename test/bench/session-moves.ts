/** Sessions that are moved to S3 and back, beside a client of S3 that does nothing else. */
import type { App } from '../../lib/app.ts';
import { lazyConnection, readBody, type S3Connection } from '../../lib/blobs/s3-connection.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import type { NewSession } from '../../lib/sessions/session.ts';
import { DATA_PREFIX } from '../../lib/sessions/session-format.ts';
import { encodeSessionObject } from '../../lib/sessions/spillover/session-object.ts';
import { createSpillTools, type SpillTools } from '../../lib/sessions/spillover/spill-tools.ts';
import { keysOfBench } from './session-fill.ts';

/** What moves sessions in the service, at the bench's command. */
export const spillToolsOf = (app: App): SpillTools =>
  createSpillTools({
    redis: app.redis,
    blobs: app.blobs,
    keys: keysOfBench(app),
    config: app.config,
    telemetry,
    now: Date.now,
    evict: async () => false,
    runNow: { spillSessions: async () => {} },
  });

/** Where a tenant of the bench has its sessions. */
export const placeOf = ({ tenantId: id }: Caller) => ({ id, generation: 1 }) as const;

export interface RawObjects {
  put(key: string, body: Buffer): Promise<unknown>;
  /** @throws the SDK's error when there is none. */
  get(key: string): Promise<Buffer>;
}

/** The SDK's client with the service's options. */
export async function rawObjects({ config: { blobs } }: App): Promise<RawObjects> {
  const { sdk, client }: S3Connection = await lazyConnection(blobs)();
  const Bucket = blobs.bucket;
  return {
    put: (Key, Body) => client.send(new sdk.PutObjectCommand({ Bucket, Key, Body })),
    async get(Key) {
      const { Body, ContentLength: sizeBytes = 0 } = await client.send(new sdk.GetObjectCommand({ Bucket, Key }));
      const signal = AbortSignal.timeout(blobs.requestTimeoutMs);
      return readBody(Body as Parameters<typeof readBody>[0], { sizeBytes, maxBytes: sizeBytes, signal });
    },
  };
}

/** The bytes the service writes of a session, so that both sides send the same. */
export async function objectOf({ tenantId }: Caller, { data = new Map() }: NewSession): Promise<Buffer> {
  const fields = new Map([...data].map(([key, text]) => [DATA_PREFIX + key, text]));
  const identity = { tenantId, sessionUlid: '0'.repeat(26), version: 1, seq: 1 };
  return (await encodeSessionObject({ ...identity, fields })).bytes;
}

/** `total` calls, so many at a time. */
export async function callTogether(total: number, atOnce: number, call: (turn: number) => Promise<unknown>) {
  let turn = 0;
  const worker = async () => {
    while (turn < total) await call(turn++);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
