import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { failure, s3Session } from '../support/s3-session.ts';

const { Bucket, bytesOf, newKey, plain, put, s3 } = s3Session();
/** Also one that the SDK's types do not know. */
const putClass = (Key: string, StorageClass: string) => put(Key, 'y', { StorageClass });
const md5 = (body: Buffer) => `"${createHash('md5').update(body).digest('hex')}"`;

describe('objects of the S3 endpoint', () => {
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

  it('keeps the storage class of an upload, and takes no other than S3 does', async () => {
    const [Key, copied, moved] = [newKey(), newKey(), newKey()];
    const classOf = async (key: string) => (await s3.send(new HeadObjectCommand({ Bucket, Key: key }))).StorageClass;
    const listed = async (key: string) =>
      (await s3.send(new ListObjectsV2Command({ Bucket, Prefix: key }))).Contents?.map((found) => found.StorageClass);
    await put(Key, 'x', { StorageClass: 'GLACIER_IR' });
    for (const StorageClass of ['COLD', 'standard']) {
      await expect(putClass(Key, StorageClass)).rejects.toMatchObject(failure(400, 'InvalidStorageClass'));
    }
    for (const StorageClass of ['GLACIER', 'DEEP_ARCHIVE']) {
      await expect(putClass(Key, StorageClass)).rejects.toMatchObject(failure(501, 'NotImplemented'));
    }
    expect(await classOf(Key)).toBe('GLACIER_IR');
    expect(await listed(Key)).toEqual(['GLACIER_IR']);
    const CopySource = `${Bucket}/${Key}`;
    await s3.send(new CopyObjectCommand({ Bucket, Key: copied, CopySource }));
    await s3.send(new CopyObjectCommand({ Bucket, Key: moved, CopySource, StorageClass: 'ONEZONE_IA' }));
    expect([await classOf(copied), await classOf(moved)]).toEqual([undefined, 'ONEZONE_IA']);
    expect([await listed(copied), await listed(moved)]).toEqual([['STANDARD'], ['ONEZONE_IA']]);
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

describe('conditions and ranges of the S3 endpoint', () => {
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
