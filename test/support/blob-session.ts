import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { createS3Store } from '../../lib/blobs/s3-store.ts';
import type { BlobStore } from '../../lib/blobs/store.ts';
import type { BlobConfig } from '../../lib/config/config.ts';
import { servers } from './servers.ts';

/** The shared S3 endpoint as configuration for a store, with what differs. */
export function blobConfig(more: Partial<BlobConfig> = {}): BlobConfig {
  const { url, region, bucket } = servers().s3;
  return {
    bucket,
    endpoint: url,
    region,
    forcePathStyle: true,
    requestTimeoutMs: 5000,
    checksums: 'supported',
    ...more,
  };
}

/** A store over it. */
export function newBlobStore(more: Partial<BlobConfig> = {}, credentials = blobCredentials()): BlobStore {
  return createS3Store(blobConfig(more), { credentials });
}

/** The keys of the shared endpoint. */
export function blobCredentials() {
  const { accessKeyId, secretAccessKey } = servers().s3;
  return { accessKeyId, secretAccessKey };
}

/** A key no other test has. */
export const newBlobKey = (name = 'object') => `suite/${randomUUID()}/${name}`;

/** The error a call ends with; a call that does not fail, fails the test. */
export const failureOf = (call: Promise<unknown>): Promise<Error> =>
  call.then(
    () => expect.fail('it did not fail'),
    (error: Error) => error,
  );
