/** A bucket of the bench's own: the S3 endpoint of the local stack in a process of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createBucket } from '../../infra/local/create-bucket.ts';
import { BUCKET, REGION } from '../../infra/local/handler-settings.ts';
import { startProcess } from './child-process.ts';

const CREDENTIALS = { accessKeyId: 'bench', secretAccessKey: 'bench-secret-key' };
const FILE = fileURLToPath(new URL('./processes/s3-endpoint.ts', import.meta.url));

/** Starts it. @returns settings to lay over those of the bench; with `parts` all of it is gone. */
export async function startBucket(parts: AsyncDisposableStack): Promise<Readonly<Record<string, string>>> {
  const dir = await mkdtemp(join(tmpdir(), 'riptide-bench-s3-'));
  parts.defer(() => rm(dir, { recursive: true, force: true }));
  const { accessKeyId, secretAccessKey } = CREDENTIALS;
  const endpoint = await startProcess({ file: FILE, args: [join(dir, 'objects'), accessKeyId, secretAccessKey] });
  parts.defer(() => endpoint.stop());
  const url = endpoint.said as string;
  await createBucket({ url, ...CREDENTIALS });
  // The client of S3 reads them there, as on Lambda.
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey });
  return {
    PERSISTENCE_BLOBS_ENDPOINT: url,
    PERSISTENCE_BLOBS_BUCKET: BUCKET,
    PERSISTENCE_BLOBS_REGION: REGION,
    PERSISTENCE_BLOBS_FORCE_PATH_STYLE: 'true',
  };
}
