import { randomUUID } from 'node:crypto';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, it } from 'vitest';
import { failure, s3Session } from '../support/s3-session.ts';

const { Bucket, newKey, put, s3 } = s3Session();

describe('listing and deleting at the S3 endpoint', () => {
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

describe('buckets of the S3 endpoint', () => {
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
