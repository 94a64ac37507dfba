/** A value too large for a request: sent to S3 by a signed URL, read back by a link, counted as storage. */
import { randomBytes } from 'node:crypto';
import { uploadEntry } from '../../../../lib/client/upload-entry.ts';
import { demand, demandRefusal, demandStatus } from '../../claims.ts';
import { loadDocument } from '../../documents.ts';
import type { DemoTenant } from '../../tenant.ts';
import { type Act, AMPLE_OPERATIONS, type Stage } from '../stage.ts';

/** Above 4 MiB, what a body may have. */
const SIZE_BYTES = 5_500_000;
const PARAMS = { namespace: 'archive', key: 'documents.bin' };
const CONTENT_TYPE = 'application/octet-stream';

export const proveLargeValue: Act = {
  title: 'Cache: a large value',
  async run(stage) {
    const tenant = await stage.cast.create({ name: 'archive', plan: 'professional', quotas: AMPLE_OPERATIONS });
    const { client } = tenant;
    const value = await gather(stage);
    const refused = await client.putEntry({ params: PARAMS, body: value });
    demandRefusal(refused, { status: 413, code: 'body_too_large' }, `A body of ${value.length} bytes`);
    await upload(stage, tenant, value);
    const read = await client.getEntry({ params: PARAMS });
    demandStatus(read, 200, 'Read a large value');
    demand(value.equals(read.bytes), `What came back differs from the ${value.length} bytes uploaded`);
    const stored = await storageOf(tenant);
    demand(stored > 0, `A value of ${value.length} bytes is in S3, and none are counted as storage`);
    demandStatus(await client.deleteEntry({ params: PARAMS }), 204, 'Remove a large value');
    const left = await storageOf(tenant);
    demand(left === 0, `The large value is removed, and ${left} bytes are counted as storage`);
    return {
      shown: [
        `A value of ${(value.length / 1e6).toFixed(1)} MB: too large for a body (413), uploaded to S3 by a signed URL, read back byte for byte by a link; as it is packed in S3 its ${(stored / 1e6).toFixed(1)} MB count as storage until it is removed`,
      ],
    };
  },
};

/** Announced, sent, stored. @throws {BrokenClaimError} */
async function upload({ signal }: Stage, { client }: DemoTenant, value: Buffer): Promise<void> {
  const query = { ttl_seconds: 3_600 };
  const stored = await uploadEntry(client, {
    params: PARAMS,
    query,
    headers: { 'content-type': CONTENT_TYPE },
    body: value,
    signal,
  });
  demandStatus(stored, 201, 'Store an upload');
  demand(stored.data.size_bytes === value.length, `${value.length} bytes uploaded, ${stored.data.size_bytes} stored`);
}

/** Documents, one after the other and again from the first, until it is large. Noise between them: else few pack to nothing. */
async function gather({ documents }: Stage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for (let n = 0; bytes < SIZE_BYTES; n++) {
    const file = documents[n % documents.length];
    const part = file === undefined ? Buffer.alloc(SIZE_BYTES) : (await loadDocument(file)).bytes;
    parts.push(part, randomBytes(part.length + 1));
    bytes += part.length * 2;
  }
  return Buffer.concat(parts).subarray(0, SIZE_BYTES);
}

async function storageOf({ client }: DemoTenant): Promise<number> {
  const reply = await client.getQuotas();
  demandStatus(reply, 200, 'The quotas of a tenant with a large value');
  return reply.data.quotas.storage_bytes.used;
}
