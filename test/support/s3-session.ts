import { randomUUID } from 'node:crypto';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import { servers } from './servers.ts';

/** The SDK against the shared S3 endpoint, never trying twice, and what the suites do with it most. */
export function s3Session() {
  const { url, region, bucket: Bucket, ...credentials } = servers().s3;
  const options = { endpoint: url, region, credentials, forcePathStyle: true, maxAttempts: 1 };
  const s3 = new S3Client(options);
  return {
    Bucket,
    s3,
    /** A client that adds and verifies no checksums by itself. */
    plain: new S3Client({
      ...options,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    }),
    newKey: (name = 'object') => `endpoint/${randomUUID()}/${name}`,
    put: (Key: string, Body: Buffer | string, more = {}) =>
      s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more })),
    async bytesOf(Key: string, more = {}): Promise<Buffer> {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, ...more }));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    },
  };
}

/** What an SDK error with this status and code matches. */
export const failure = (status: number, name: string) => ({
  name,
  $metadata: expect.objectContaining({ httpStatusCode: status }),
});
