import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { servers } from '../support/servers.ts';

const { url, region, bucket: Bucket, ...credentials } = servers().s3;
const options = { endpoint: url, region, credentials, forcePathStyle: true, maxAttempts: 1 };
const s3 = new S3Client(options);
const plain = new S3Client({
  ...options,
  requestChecksumCalculation: 'WHEN_REQUIRED',
  responseChecksumValidation: 'WHEN_REQUIRED',
});
const newKey = (name = 'object') => `endpoint/${randomUUID()}/${name}`;
const put = (Key: string, Body: Buffer | string, more = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const bytesOf = async (Key: string, more = {}) => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, ...more }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
};
const failure = (status: number, name: string) => ({
  name,
  $metadata: expect.objectContaining({ httpStatusCode: status }),
});
const md5 = (body: Buffer) => `"${createHash('md5').update(body).digest('hex')}"`;

afterAll(() => {
  s3.destroy();
  plain.destroy();
});

describe('objects of the S3 endpoint [P3 K1]', () => {
  it('keeps bytes, ETag, type, metadata, encryption and cache headers', async () => {
    const Key = newKey();
    const body = randomBytes(70_000);
    const sent = {
      ContentType: 'application/json',
      CacheControl: 'max-age=60',
      ContentEncoding: 'lz4',
      Metadata: { codec: 'lz4', 'raw-bytes': '123' },
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: 'arn:aws:kms:us-east-1:1:key/x',
    } as const;
    expect(await put(Key, body, sent)).toMatchObject({ ETag: md5(body), ServerSideEncryption: 'aws:kms' });
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key }));
    expect(head).toMatchObject({ ...sent, ETag: md5(body), ContentLength: 70_000 });
    expect(head.LastModified?.getTime()).toBeGreaterThan(Date.now() - 60_000);
    expect((await bytesOf(Key)).equals(body)).toBe(true);
  });

  it.each(['with', 'without'] as const)('takes a stream %s checksums', async (checksums) => {
    const client = checksums === 'with' ? s3 : plain;
    const Key = newKey();
    const body = randomBytes(300_000);
    const parts = [body.subarray(0, 1), body.subarray(1, 200_000), body.subarray(200_000)];
    await client.send(new PutObjectCommand({ Bucket, Key, Body: Readable.from(parts), ContentLength: body.length }));
    const { ContentEncoding } = await s3.send(new HeadObjectCommand({ Bucket, Key }));
    expect(ContentEncoding).toBeUndefined();
    expect((await bytesOf(Key)).equals(body)).toBe(true);
  });

  it('keeps any key apart from every other, and inside its directory', async () => {
    const prefix = newKey('');
    const names = [
      'a',
      'a/',
      'a/b',
      'a//b',
      '../../../../etc/passwd',
      '..',
      '.',
      'sp ace',
      'pl+us',
      'per%25cent',
      'q?x=1&y#z',
      `quo'te"<>&`,
      'é漢🙂',
      'x'.repeat(800),
    ];
    for (const name of names) await put(prefix + name, name);
    for (const name of names) expect((await bytesOf(prefix + name)).toString()).toBe(name);
    const listed = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: prefix }));
    const inOrder = names
      .map((name) => Buffer.from(prefix + name))
      .sort(Buffer.compare)
      .map(String);
    expect(listed.Contents?.map((object) => object.Key)).toEqual(inOrder);
  });

  it('refuses a key above 1,024 bytes and metadata above 2 KB', async () => {
    await expect(put('k'.repeat(1025), 'x')).rejects.toMatchObject(failure(400, 'KeyTooLongError'));
    await expect(put(newKey(), 'x', { Metadata: { m: 'v'.repeat(2048) } })).rejects.toMatchObject(
      failure(400, 'MetadataTooLarge'),
    );
  });

  it('copies bytes and metadata, or replaces the metadata', async () => {
    const [from, to, other] = [newKey('from +é'), newKey(), newKey()];
    await put(from, 'copied', { Metadata: { m: '1' } });
    const CopySource = `${Bucket}/${encodeURIComponent(from)}`;
    await s3.send(new CopyObjectCommand({ Bucket, Key: to, CopySource }));
    await s3.send(
      new CopyObjectCommand({ Bucket, Key: other, CopySource, MetadataDirective: 'REPLACE', Metadata: { m: '2' } }),
    );
    expect((await bytesOf(to)).toString()).toBe('copied');
    expect((await s3.send(new HeadObjectCommand({ Bucket, Key: to }))).Metadata).toEqual({ m: '1' });
    expect((await s3.send(new HeadObjectCommand({ Bucket, Key: other }))).Metadata).toEqual({ m: '2' });
    const missing = new CopyObjectCommand({ Bucket, Key: to, CopySource: `${Bucket}/${newKey()}` });
    await expect(s3.send(missing)).rejects.toMatchObject(failure(404, 'NoSuchKey'));
  });

  it('never shows a torn object while it is overwritten', async () => {
    const Key = newKey();
    const versions = [Buffer.alloc(300_000, 'a'), Buffer.alloc(300_000, 'b')] as const;
    await put(Key, versions[0]);
    const writer = async () => {
      for (let round = 0; round < 20; round += 1) await put(Key, versions[round % 2 === 0 ? 1 : 0]);
    };
    const reader = async () => {
      for (let round = 0; round < 20; round += 1) {
        const { Body, ETag } = await s3.send(new GetObjectCommand({ Bucket, Key }));
        const body = Buffer.from((await Body?.transformToByteArray()) ?? []);
        expect(versions.some((version) => version.equals(body))).toBe(true);
        expect(ETag).toBe(md5(body));
      }
    };
    await Promise.all([writer(), writer(), reader(), reader(), reader()]);
  });
});

describe('conditions and ranges of the S3 endpoint [C10 K1]', () => {
  it('lets one of 16 racing creators win', async () => {
    const Key = newKey();
    const race = await Promise.allSettled(
      Array.from({ length: 16 }, (_, at) => put(Key, `writer ${at}`, { IfNoneMatch: '*' })),
    );
    const winners = race.flatMap((outcome, at) => (outcome.status === 'fulfilled' ? [`writer ${at}`] : []));
    expect(winners).toEqual([(await bytesOf(Key)).toString()]);
    for (const outcome of race)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(failure(412, 'PreconditionFailed'));
  });

  it('writes over a version only while it is the current one', async () => {
    const Key = newKey();
    const { ETag } = await put(Key, '1');
    await put(Key, '2', { IfMatch: ETag });
    await expect(put(Key, '3', { IfMatch: ETag })).rejects.toMatchObject(failure(412, 'PreconditionFailed'));
    await expect(put(newKey(), '3', { IfMatch: ETag })).rejects.toMatchObject(failure(404, 'NoSuchKey'));
    await expect(put(Key, '3', { IfNoneMatch: ETag })).rejects.toMatchObject(failure(501, 'NotImplemented'));
    expect((await bytesOf(Key)).toString()).toBe('2');
  });

  it('answers 304 and 412 on reads', async () => {
    const Key = newKey();
    const { ETag } = await put(Key, 'x');
    const get = (more: object) => s3.send(new GetObjectCommand({ Bucket, Key, ...more }));
    const future = new Date(Date.now() + 60_000);
    const past = new Date(Date.now() - 60_000);
    for (const more of [{ IfNoneMatch: ETag }, { IfModifiedSince: future }]) {
      await expect(get(more)).rejects.toMatchObject({ $metadata: { httpStatusCode: 304 } });
    }
    for (const more of [{ IfMatch: '"other"' }, { IfUnmodifiedSince: past }]) {
      await expect(get(more)).rejects.toMatchObject(failure(412, 'PreconditionFailed'));
    }
    for (const more of [
      { IfMatch: ETag },
      { IfNoneMatch: '"other"' },
      { IfModifiedSince: past },
      { IfUnmodifiedSince: future },
    ]) {
      expect((await bytesOf(Key, more)).toString()).toBe('x');
    }
  });

  it('reads ranges as HTTP means them', async () => {
    const Key = newKey();
    const body = randomBytes(1000);
    await put(Key, body);
    const cases = [
      ['bytes=0-0', 0, 1],
      ['bytes=100-199', 100, 200],
      ['bytes=900-', 900, 1000],
      ['bytes=-50', 950, 1000],
      ['bytes=990-5000', 990, 1000],
      ['bytes=-5000', 0, 1000],
    ] as const;
    for (const [Range, start, end] of cases) {
      const part = await s3.send(new GetObjectCommand({ Bucket, Key, Range }));
      expect(part).toMatchObject({
        ContentRange: `bytes ${start}-${end - 1}/1000`,
        $metadata: { httpStatusCode: 206 },
      });
      expect(Buffer.from((await part.Body?.transformToByteArray()) ?? []).equals(body.subarray(start, end))).toBe(true);
    }
    for (const Range of ['bytes=5-2', 'bytes=0-1,4-5', 'items=0-1'])
      expect((await bytesOf(Key, { Range })).length).toBe(1000);
    await expect(bytesOf(Key, { Range: 'bytes=1000-' })).rejects.toMatchObject(failure(416, 'InvalidRange'));
    await put(Key, Buffer.alloc(0));
    expect((await bytesOf(Key)).length).toBe(0);
    await expect(bytesOf(Key, { Range: 'bytes=0-' })).rejects.toMatchObject(failure(416, 'InvalidRange'));
  });
});

describe('listing and deleting at the S3 endpoint [P6 K5]', () => {
  const prefix = newKey('list/');
  const keys = Array.from(
    { length: 2300 },
    (_, at) => `${prefix}${at % 2 === 0 ? 'even' : 'odd'}/${String(at).padStart(4, '0')}`,
  );
  const list = (more: object) => s3.send(new ListObjectsV2Command({ Bucket, Prefix: prefix, ...more }));
  const walk = async (more: object) => {
    const pages: string[][] = [];
    for (let token: string | undefined, left = true; left; ) {
      const page = await list({ ...more, ContinuationToken: token });
      pages.push([
        ...(page.Contents ?? []).map((object) => object.Key ?? ''),
        ...(page.CommonPrefixes ?? []).map((common) => common.Prefix ?? ''),
      ]);
      expect(page.KeyCount).toBe(pages.at(-1)?.length);
      token = page.NextContinuationToken;
      left = page.IsTruncated === true;
    }
    return pages;
  };

  beforeAll(async () => {
    const left = [...keys];
    const worker = async () => {
      for (let key = left.pop(); key !== undefined; key = left.pop()) await put(key, 'x');
    };
    await Promise.all(Array.from({ length: 32 }, worker));
  });

  it('pages through 2,300 keys in order, 1,000 at a time', async () => {
    const pages = await walk({});
    expect(pages.map((page) => page.length)).toEqual([1000, 1000, 300]);
    expect(pages.flat()).toEqual([...keys].sort());
  });

  it('rolls up by delimiter, counting a common prefix once, whatever the page size', async () => {
    const expected = [`${prefix}even/`, `${prefix}odd/`];
    for (const MaxKeys of [1, 2, 5]) expect((await walk({ Delimiter: '/', MaxKeys })).flat()).toEqual(expected);
    expect((await list({ Delimiter: 'n/', MaxKeys: 1 })).CommonPrefixes).toEqual([{ Prefix: `${prefix}even/` }]);
  });

  it('starts after a key, takes few, none, and none of another prefix', async () => {
    const first = await list({ StartAfter: `${prefix}even/0008`, MaxKeys: 2 });
    expect(first.Contents?.map((object) => object.Key)).toEqual([`${prefix}even/0010`, `${prefix}even/0012`]);
    expect(await list({ MaxKeys: 0 })).toMatchObject({ KeyCount: 0, IsTruncated: false });
    expect(await list({ Prefix: `${prefix}none` })).toMatchObject({ KeyCount: 0, IsTruncated: false });
  });

  it('deletes by thousands, says so or is quiet, and counts absent keys as deleted', async () => {
    const remove = (batch: readonly string[], Quiet: boolean) =>
      s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Quiet, Objects: batch.map((Key) => ({ Key })) } }));
    const sorted = [...keys].sort();
    expect((await remove(sorted.slice(0, 1000), false)).Deleted).toHaveLength(1000);
    expect((await remove(sorted.slice(0, 2), false)).Deleted).toHaveLength(2);
    expect((await remove(sorted.slice(1000, 2000), true)).Deleted).toBeUndefined();
    expect((await list({})).Contents?.map((object) => object.Key)).toEqual(sorted.slice(2000));
    await expect(remove(sorted.slice(0, 1001), true)).rejects.toMatchObject(failure(400, 'MalformedXML'));
    const absent = await s3.send(new DeleteObjectCommand({ Bucket, Key: newKey() }));
    expect(absent.$metadata.httpStatusCode).toBe(204);
  });
});

describe('buckets of the S3 endpoint [A8]', () => {
  it('creates, shows, lists and deletes a bucket, but not a full one', async () => {
    const name = `made-${randomUUID()}`;
    await s3.send(new CreateBucketCommand({ Bucket: name }));
    await s3.send(new HeadBucketCommand({ Bucket: name }));
    await expect(s3.send(new CreateBucketCommand({ Bucket: name }))).rejects.toMatchObject(
      failure(409, 'BucketAlreadyOwnedByYou'),
    );
    expect((await s3.send(new ListBucketsCommand({}))).Buckets?.map((bucket) => bucket.Name)).toContain(name);
    expect((await s3.send(new GetBucketLocationCommand({ Bucket: name }))).LocationConstraint).toBeUndefined();
    await s3.send(new PutObjectCommand({ Bucket: name, Key: 'k', Body: 'x' }));
    await expect(s3.send(new DeleteBucketCommand({ Bucket: name }))).rejects.toMatchObject(
      failure(409, 'BucketNotEmpty'),
    );
    await s3.send(new DeleteObjectCommand({ Bucket: name, Key: 'k' }));
    await s3.send(new DeleteBucketCommand({ Bucket: name }));
    await expect(s3.send(new GetObjectCommand({ Bucket: name, Key: 'k' }))).rejects.toMatchObject(
      failure(404, 'NoSuchBucket'),
    );
  });

  it.each(['ab', 'Upper', 'a..b', '192.168.0.1', '-a-', 'under_score', 'x'.repeat(64)])(
    'refuses the name %s',
    async (name) => {
      await expect(s3.send(new CreateBucketCommand({ Bucket: name }))).rejects.toMatchObject({
        name: 'InvalidBucketName',
      });
    },
  );
});

describe('checksums at the S3 endpoint [P3]', () => {
  const body = Buffer.from('checked');

  it('refuses a body that is not what its checksum says, and keeps nothing', async () => {
    const Key = newKey();
    const wrong = [
      { ChecksumCRC32: 'AAAAAA==' },
      { ChecksumSHA256: 'A'.repeat(43).concat('=') },
      { ChecksumSHA1: `${'A'.repeat(27)}=` },
      { ContentMD5: `${'A'.repeat(22)}==` },
    ];
    for (const checksum of wrong)
      await expect(put(Key, body, checksum)).rejects.toMatchObject(failure(400, 'BadDigest'));
    await expect(bytesOf(Key)).rejects.toMatchObject(failure(404, 'NoSuchKey'));
  });

  it('keeps the checksum it was given and gives it back when asked', async () => {
    const Key = newKey();
    for (const ChecksumAlgorithm of ['CRC32', 'SHA1', 'SHA256'] as const) {
      const stored = await put(Key, body, { ChecksumAlgorithm });
      const name = `Checksum${ChecksumAlgorithm}` as const;
      const got = await s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
      expect(await got.Body?.transformToString()).toBe('checked');
      expect(got[name]).toBe(stored[name]);
      expect(got[name]).toEqual(expect.any(String));
    }
  });

  it('answers 501 for checksums it cannot verify, rather than believe them', async () => {
    for (const checksum of [{ ChecksumCRC32C: 'AAAAAA==' }, { ChecksumCRC64NVME: 'AAAAAAAAAAA=' }]) {
      await expect(put(newKey(), body, checksum)).rejects.toMatchObject(failure(501, 'NotImplemented'));
    }
  });
});

describe('presigned URLs of the S3 endpoint [C6]', () => {
  const urlFor = (command: PutObjectCommand | GetObjectCommand, more: { expiresIn: number; signingDate?: Date }) =>
    getSignedUrl(plain, command, more);

  it('uploads and downloads with nothing but the URL', async () => {
    const Key = newKey('größe &+.bin');
    const body = randomBytes(200_000);
    const uploaded = await fetch(await urlFor(new PutObjectCommand({ Bucket, Key }), { expiresIn: 60 }), {
      method: 'PUT',
      body,
    });
    expect(uploaded.status).toBe(200);
    const download = new GetObjectCommand({ Bucket, Key, ResponseContentType: 'text/csv' });
    const downloaded = await fetch(await urlFor(download, { expiresIn: 60 }));
    expect(downloaded.headers.get('content-type')).toBe('text/csv');
    expect(Buffer.from(await downloaded.arrayBuffer()).equals(body)).toBe(true);
  });

  it('refuses one that has expired, is not yet valid, or was changed', async () => {
    const Key = newKey();
    await put(Key, 'x');
    const get = new GetObjectCommand({ Bucket, Key });
    const expired = await urlFor(get, { expiresIn: 60, signingDate: new Date(Date.now() - 61_000) });
    const early = await urlFor(get, { expiresIn: 60, signingDate: new Date(Date.now() + 16 * 60_000) });
    const good = await urlFor(get, { expiresIn: 60 });
    const changed = [
      good.replace(Key, `${Key}2`),
      good.replace('X-Amz-Expires=60', 'X-Amz-Expires=600'),
      good.replace(/.$/, (last) => (last === 'a' ? 'b' : 'a')),
    ];
    expect((await fetch(good)).status).toBe(200);
    for (const bad of [expired, early, ...changed]) expect((await fetch(bad)).status).toBe(403);
    expect((await fetch(good, { method: 'DELETE' })).status).toBe(403);
    expect((await fetch(good.replace('X-Amz-Expires=60', 'X-Amz-Expires=604801'))).status).toBe(400);
  });
});
