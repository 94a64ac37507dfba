/** Starts what the suites share, before the first test of a project, and stops it after the last. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { TestProject } from 'vitest/node';
import { DEFAULT_ALIAS, startKmsEndpoint } from '../../infra/local/kms/start-kms-endpoint.ts';
import { startRedis } from '../../infra/local/redis/start-redis.ts';
import { startS3Endpoint } from '../../infra/local/s3/start-s3-endpoint.ts';
import { startUpstashEndpoint } from '../../infra/local/upstash/start-upstash-endpoint.ts';
import type { TestServers } from './servers.ts';

const REST_TOKEN = 'test-rest-token';
const S3 = { region: 'us-east-1', accessKeyId: 'test-access-key', secretAccessKey: 'test-secret-key' };
const BUCKET = 'riptide-test';

/**
 * One Redis, one Upstash endpoint, one S3 and one KMS endpoint, on free ports and in a temporary folder.
 * @returns what stops them.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const running = new AsyncDisposableStack();
  try {
    project.provide('servers', await startServers(running));
  } catch (error) {
    await running.disposeAsync();
    throw error;
  }
  return () => running.disposeAsync();
}

async function startServers(running: AsyncDisposableStack): Promise<TestServers> {
  const dir = await mkdtemp(join(tmpdir(), 'riptide-servers-'));
  running.defer(() => rm(dir, { recursive: true, force: true }));
  const redis = await startRedis({ dir: join(dir, 'redis'), appendonly: false });
  running.defer(() => redis.stop());
  const rest = await startUpstashEndpoint({ redisUrl: redis.url, token: REST_TOKEN });
  running.defer(() => rest.stop());
  const s3 = await startS3Endpoint({ ...S3, dir: join(dir, 's3') });
  running.defer(() => s3.stop());
  await createBucket(s3.url);
  const kms = await startKmsEndpoint({ ...S3, dir: join(dir, 'kms') });
  running.defer(() => kms.stop());
  return {
    redisUrl: redis.url,
    restUrl: rest.url,
    restToken: REST_TOKEN,
    s3: { ...S3, url: s3.url, bucket: BUCKET },
    kms: { url: kms.url, keyId: DEFAULT_ALIAS },
  };
}

async function createBucket(endpoint: string): Promise<void> {
  const { region, ...credentials } = S3;
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: BUCKET })).finally(() => client.destroy());
}
