import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetBucketVersioningCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type S3Endpoint, startS3Endpoint } from '../../infra/local/s3/start-s3-endpoint.ts';
import { pollUntil } from '../support/poll-until.ts';
import { type HandSigned, sendHandSigned } from '../support/s3-signing.ts';

const credentials = { accessKeyId: 'strict-key', secretAccessKey: 'strict-secret' };
const Bucket = 'strict';
const MAX_OBJECT_BYTES = 10_000;
let dir: string;
let endpoint: S3Endpoint;
let s3: S3Client;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'riptide-strict-'));
  endpoint = await startS3Endpoint({ dir: join(dir, 'inside'), ...credentials, maxObjectBytes: MAX_OBJECT_BYTES });
  s3 = new S3Client({ endpoint: endpoint.url, region: 'us-east-1', credentials, forcePathStyle: true, maxAttempts: 1 });
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'there', Body: 'there' }));
});

afterAll(async () => {
  s3.destroy();
  await endpoint.stop();
  await rm(dir, { recursive: true, force: true });
});

const send = (more: Partial<HandSigned>) =>
  sendHandSigned({ url: endpoint.url, method: 'GET', path: `/${Bucket}/there`, ...credentials, ...more });
const isThere = async (Key: string) => (await send({ path: `/${Bucket}/${Key}` })).status === 200;

describe('who may at the S3 endpoint', () => {
  it('takes a request signed by hand, after the description alone', async () => {
    expect(await send({})).toMatchObject({ status: 200, text: expect.stringMatching(/there$/) });
  });

  it.each<[string, Partial<HandSigned>, number, string]>([
    ['another secret', { secretAccessKey: 'other' }, 403, 'SignatureDoesNotMatch'],
    ['an unknown key', { accessKeyId: 'nobody' }, 403, 'InvalidAccessKeyId'],
    ['a clock 16 minutes behind', { atMs: Date.now() - 16 * 60_000 }, 403, 'RequestTimeTooSkewed'],
    ['a clock 16 minutes ahead', { atMs: Date.now() + 16 * 60_000 }, 403, 'RequestTimeTooSkewed'],
    ['another region', { region: 'eu-west-1' }, 400, 'AuthorizationHeaderMalformed'],
    ['a header added on the way', { unsigned: { 'x-amz-meta-added': '1' } }, 403, 'AccessDenied'],
    [
      'no digest of its body',
      { unsigned: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } },
      403,
      'SignatureDoesNotMatch',
    ],
    ['an authorization of another kind', { unsigned: { authorization: 'Bearer x' } }, 403, 'AccessDenied'],
  ])('refuses %s', async (_name, wrong, status, code) => {
    expect(await send(wrong)).toMatchObject({ status, code });
  });

  it('tells the unsigned nothing: not what exists, not what is implemented', async () => {
    for (const path of [
      '/',
      `/${Bucket}`,
      `/${Bucket}/there`,
      `/${Bucket}/none`,
      `/${Bucket}?acl`,
      '/no-such-bucket/k',
    ]) {
      const answer = await fetch(endpoint.url + path);
      expect(answer.status).toBe(403);
      expect(await answer.text()).toContain('<Code>AccessDenied</Code>');
    }
  });

  it('takes a clock 14 minutes off', async () => {
    expect((await send({ atMs: Date.now() - 14 * 60_000 })).status).toBe(200);
    expect((await send({ atMs: Date.now() + 14 * 60_000 })).status).toBe(200);
  });

  it('listens on the loopback interface only', () => {
    expect(new URL(endpoint.url).hostname).toBe('127.0.0.1');
  });
});

describe('what the S3 endpoint does not do', () => {
  it.each([
    ['GetObjectAcl', () => s3.send(new GetObjectAclCommand({ Bucket, Key: 'there' }))],
    ['GetObjectTagging', () => s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'there' }))],
    ['GetBucketVersioning', () => s3.send(new GetBucketVersioningCommand({ Bucket }))],
    ['ListObjects (version 1)', () => s3.send(new ListObjectsCommand({ Bucket }))],
    ['ListMultipartUploads', () => s3.send(new ListMultipartUploadsCommand({ Bucket }))],
    ['a version of an object', () => s3.send(new GetObjectCommand({ Bucket, Key: 'there', VersionId: '1' }))],
    ['an ACL on a write', () => s3.send(new PutObjectCommand({ Bucket, Key: 'acl', Body: 'x', ACL: 'public-read' }))],
    [
      'a checksum of another kind',
      () => s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'crc', ChecksumAlgorithm: 'CRC32C' })),
    ],
    [
      'copying a part',
      () =>
        s3.send(
          new UploadPartCopyCommand({
            Bucket,
            Key: 'part',
            UploadId: randomUUID(),
            PartNumber: 1,
            CopySource: `${Bucket}/there`,
          }),
        ),
    ],
  ])('answers 501 for %s', async (_name, call) => {
    await expect(call()).rejects.toMatchObject({ name: 'NotImplemented', $metadata: { httpStatusCode: 501 } });
  });

  it('answers 501 for signed chunks, other methods and unknown words', async () => {
    const payload = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
    expect(
      await send({ method: 'PUT', path: `/${Bucket}/k`, payload, headers: { 'x-amz-decoded-content-length': '0' } }),
    ).toMatchObject({ status: 501 });
    expect(await send({ method: 'PATCH' })).toMatchObject({ status: 501, code: 'NotImplemented' });
    expect(await send({ method: 'PUT', path: `/${Bucket}/k`, payload: 'WHATEVER' })).toMatchObject({
      status: 400,
      code: 'InvalidRequest',
    });
  });
});

describe('bodies that are not what they say', () => {
  const chunked = (body: string, more: Record<string, string> = {}, length = 5) =>
    send({
      method: 'PUT',
      path: `/${Bucket}/chunked`,
      payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      headers: { 'content-encoding': 'aws-chunked', 'x-amz-decoded-content-length': String(length), ...more },
      body,
    });
  // CRC32 of "hello": 3610a686.
  const trailer = { 'x-amz-trailer': 'x-amz-checksum-crc32' };
  const whole = '2\r\nhe\r\n3\r\nllo\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n';

  it.each<[string, string, Record<string, string>, number, number]>([
    ['a size that is no number', 'zz\r\nhello\r\n0\r\n\r\n', {}, 5, 400],
    ['a size with a sign', '+5\r\nhello\r\n0\r\n\r\n', {}, 5, 400],
    ['a size line without end', '5'.repeat(5000), {}, 5, 400],
    ['a chunk longer than its size', '4\r\nhello\r\n0\r\n\r\n', {}, 5, 400],
    ['a chunk shorter than its size', '6\r\nhello\r\n0\r\n\r\n', {}, 5, 400],
    ['a bare line feed', '5\nhello\n0\n\n', {}, 5, 400],
    ['no last chunk', '5\r\nhello\r\n', {}, 5, 400],
    ['no end after the trailers', '5\r\nhello\r\n0\r\n', {}, 5, 400],
    ['bytes after the end', '5\r\nhello\r\n0\r\n\r\nmore', {}, 5, 400],
    ['fewer bytes than announced', '5\r\nhello\r\n0\r\n\r\n', {}, 6, 400],
    ['more bytes than announced', '5\r\nhello\r\n0\r\n\r\n', {}, 4, 400],
    ['a trailer that did not come', '5\r\nhello\r\n0\r\n\r\n', trailer, 5, 400],
    ['a trailer that is wrong', whole.replace('NhCmhg', 'AAAAAA'), trailer, 5, 400],
    ['a trailer of another kind', whole, { 'x-amz-trailer': 'x-amz-checksum-crc32c' }, 5, 501],
    ['a trailer that is no checksum', whole, { 'x-amz-trailer': 'authorization' }, 5, 400],
  ])('refuses %s, and keeps nothing', async (_name, body, headers, length, status) => {
    expect((await chunked(body, headers, length)).status).toBe(status);
    expect(await isThere('chunked')).toBe(false);
    expect(await readdir(join(dir, 'inside', 'staging'))).toEqual([]);
  });

  it('takes a body in chunks with its checksum after it', async () => {
    expect((await chunked(whole, trailer)).status).toBe(200);
    expect((await send({ path: `/${Bucket}/chunked` })).text).toMatch(/hello$/);
  });

  it('refuses a body whose signed digest is not its own', async () => {
    const answer = await send({ method: 'PUT', path: `/${Bucket}/digest`, body: 'x', payload: 'a'.repeat(64) });
    expect(answer).toMatchObject({ status: 400, code: 'XAmzContentSHA256Mismatch' });
    expect(await isThere('digest')).toBe(false);
  });

  it('refuses one above the limit before and while it comes', async () => {
    const path = `/${Bucket}/large`;
    const body = Buffer.alloc(MAX_OBJECT_BYTES + 1);
    expect(await send({ method: 'PUT', path, body })).toMatchObject({ status: 400, code: 'EntityTooLarge' });
    expect(await chunked(`ffff\r\n${'x'.repeat(0xffff)}\r\n0\r\n\r\n`, {}, 5)).toMatchObject({ status: 400 });
    expect((await send({ method: 'PUT', path, body: body.subarray(1) })).status).toBe(200);
  });

  it('keeps nothing of an upload whose sender goes away', async () => {
    const staged = async () => (await readdir(join(dir, 'inside', 'staging'))).length;
    const url = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: 'gone' }), { expiresIn: 60 });
    const upload = request(url, { method: 'PUT', headers: { 'content-length': 4000 } }).on('error', () => undefined);
    upload.write('half');
    await pollUntil(async () => (await staged()) === 1);
    upload.destroy();
    await pollUntil(async () => (await staged()) === 0);
    expect(await isThere('gone')).toBe(false);
  });
});

describe('keys that would be paths', () => {
  it.each([
    '/../../../escape',
    '/%2e%2e/%2e%2e/escape',
    '/..%2f..%2f..%2fescape',
    '/a/%00/b',
    '/staging/x',
    '//etc/passwd',
    '/C:%5cwindows',
  ])('keeps %s inside its directory', async (name) => {
    const before = await readdir(dir);
    const path = `/${Bucket}${name}`;
    const signedPath = path
      .replaceAll('%2e', '.')
      .replaceAll('%2f', '/')
      .replaceAll('%5c', '%5C')
      .replaceAll(':', '%3A');
    const put = await send({ method: 'PUT', path: signedPath, body: 'inside' });
    expect(put.status).toBe(200);
    expect((await send({ path: signedPath })).text).toMatch(/inside$/);
    expect(await readdir(dir)).toEqual(before);
    expect(await readdir(join(dir, 'inside'))).toEqual(['buckets', 'staging', 'uploads']);
  });

  it.each(['/..', '/.', '/../..', '/%2e%2e%2fescape/key', '/buckets%2f../key'])(
    'refuses the bucket %s',
    async (path) => {
      const answer = await send({ method: 'PUT', path });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expect(await readdir(dir)).toEqual(['inside']);
    },
  );

  it('refuses a path that is no UTF-8, and an absolute one', async () => {
    expect(await send({ path: `/${Bucket}/%ff%fe` })).toMatchObject({ status: 400, code: 'InvalidURI' });
    expect(await send({ path: `http://127.0.0.1/${Bucket}/there` })).toMatchObject({ status: 400, code: 'InvalidURI' });
  });
});
