import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startS3Endpoint } from '../../infra/local/s3/start-s3-endpoint.ts';
import { pollUntil } from '../support/poll-until.ts';
import { startS3Process } from '../support/s3-process.ts';

const credentials = { accessKeyId: 'durable-key', secretAccessKey: 'durable-secret' };
const Bucket = 'durable';
const PART_BYTES = 5 * 1024 * 1024;
const COLD = { StorageClass: 'STANDARD_IA' } as const;
let dir: string;
/** What a test started, newest last; stopped in the other order, so that nothing outlives it. */
let running: AsyncDisposableStack;

const clientOf = (endpoint: string) => {
  const client = new S3Client({ endpoint, region: 'us-east-1', credentials, forcePathStyle: true, maxAttempts: 1 });
  running.defer(async () => client.destroy());
  return client;
};
const start = async () => {
  const endpoint = await startS3Endpoint({ dir, ...credentials });
  running.defer(() => endpoint.stop());
  return { ...endpoint, client: clientOf(endpoint.url) };
};
const startKillable = async () => {
  const endpoint = await startS3Process({ dir, ...credentials });
  running.defer(() => endpoint.kill());
  return { ...endpoint, client: clientOf(endpoint.url) };
};
const bytesOf = async (client: S3Client, Key: string) => {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
};
const failure = (status: number, name: string) => ({
  name,
  $metadata: expect.objectContaining({ httpStatusCode: status }),
});

beforeEach(async () => {
  running = new AsyncDisposableStack();
  dir = await mkdtemp(join(tmpdir(), 'riptide-durable-'));
  running.defer(() => rm(dir, { recursive: true, force: true }));
});

afterEach(() => running.disposeAsync());

describe('a restart of the S3 endpoint', () => {
  it('keeps every object, its metadata, its class and the order of keys', async () => {
    const first = await start();
    await first.client.send(new CreateBucketCommand({ Bucket }));
    const keys = ['b/2', 'a', 'b/1', 'é🙂'];
    for (const Key of keys)
      await first.client.send(new PutObjectCommand({ Bucket, Key, Body: Key, Metadata: { is: '1' }, ...COLD }));
    await first.stop();
    const second = await start();
    const listed = await second.client.send(new ListObjectsV2Command({ Bucket }));
    expect(listed.Contents?.map((object) => object.Key)).toEqual([...keys].sort());
    for (const object of listed.Contents ?? []) expect(object).toMatchObject(COLD);
    for (const Key of keys) expect((await bytesOf(second.client, Key)).toString()).toBe(Key);
    const head = await second.client.send(new HeadObjectCommand({ Bucket, Key: 'a' }));
    expect(head).toMatchObject({ Metadata: { is: '1' }, ...COLD });
  });

  it('leaves nothing of an upload that was cut by kill -9', async () => {
    const first = await startKillable();
    await first.client.send(new CreateBucketCommand({ Bucket }));
    await first.client.send(new PutObjectCommand({ Bucket, Key: 'kept', Body: 'kept' }));
    const body = Readable.from(halfThenNothing(3_000_000));
    const cut = first.client.send(new PutObjectCommand({ Bucket, Key: 'half', Body: body, ContentLength: 6_000_000 }));
    const outcome = expect(cut).rejects.toThrow();
    await pollUntil(async () => (await readdir(join(dir, 'staging'))).length === 1);
    await first.kill();
    await outcome;
    const second = await start();
    expect(await readdir(join(dir, 'staging'))).toEqual([]);
    expect((await bytesOf(second.client, 'kept')).toString()).toBe('kept');
    await expect(bytesOf(second.client, 'half')).rejects.toMatchObject(failure(404, 'NoSuchKey'));
  });

  it('has every write it acknowledged before kill -9, whole', async () => {
    const first = await startKillable();
    await first.client.send(new CreateBucketCommand({ Bucket }));
    const acknowledged = new Map<string, Buffer>();
    let isKilled = false;
    const writer = async (_: unknown, number: number) => {
      for (let round = 0; !isKilled; round += 1) {
        const [Key, Body] = [`${number}/${round}`, randomBytes(1 + ((round * 7919) % 90_000))];
        await first.client
          .send(new PutObjectCommand({ Bucket, Key, Body }))
          .then(() => acknowledged.set(Key, Body))
          .catch(() => undefined);
      }
    };
    const writers = Array.from({ length: 8 }, writer);
    await pollUntil(async () => acknowledged.size >= 100).finally(() => first.kill());
    isKilled = true;
    await Promise.all(writers);
    const second = await start();
    for (const [Key, Body] of acknowledged) expect((await bytesOf(second.client, Key)).equals(Body)).toBe(true);
  });
});

describe('uploads in parts at the S3 endpoint', () => {
  const begin = async (client: S3Client, Key: string) => {
    await client.send(new CreateBucketCommand({ Bucket })).catch(() => undefined);
    const { UploadId } = await client.send(
      new CreateMultipartUploadCommand({ Bucket, Key, Metadata: { is: 'parts' } }),
    );
    return { Bucket, Key, UploadId: UploadId ?? expect.fail() };
  };
  type Target = Awaited<ReturnType<typeof begin>>;
  const addPart = async (client: S3Client, target: Target, PartNumber: number, Body: Buffer) => {
    const { ETag } = await client.send(new UploadPartCommand({ ...target, PartNumber, Body }));
    return { PartNumber, ETag };
  };
  const finish = (client: S3Client, target: Target, Parts: { PartNumber: number; ETag: string | undefined }[]) =>
    client.send(new CompleteMultipartUploadCommand({ ...target, MultipartUpload: { Parts } }));

  it('stores a long stream through the SDK, whole', async () => {
    const { client } = await start();
    await client.send(new CreateBucketCommand({ Bucket }));
    const body = randomBytes(12 * 1024 * 1024);
    const params = { Bucket, Key: 'big', Body: Readable.from(body), Metadata: { is: 'big' }, ...COLD };
    await new Upload({ client, params, partSize: PART_BYTES, queueSize: 3 }).done();
    expect((await bytesOf(client, 'big')).equals(body)).toBe(true);
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'big' }));
    expect(head).toMatchObject({ Metadata: { is: 'big' }, ETag: expect.stringMatching(/^"[0-9a-f]{32}-3"$/), ...COLD });
  });

  it('goes on after a restart, in between nothing is seen, and a part sent twice counts once', async () => {
    const first = await start();
    const target = await begin(first.client, 'parts');
    const [one, two] = [randomBytes(PART_BYTES), randomBytes(10)];
    await addPart(first.client, target, 1, randomBytes(PART_BYTES));
    const part1 = await addPart(first.client, target, 1, one);
    await first.stop();
    const second = await start();
    await expect(bytesOf(second.client, 'parts')).rejects.toMatchObject(failure(404, 'NoSuchKey'));
    const part2 = await addPart(second.client, target, 2, two);
    await finish(second.client, target, [part1, part2]);
    expect((await bytesOf(second.client, 'parts')).equals(Buffer.concat([one, two]))).toBe(true);
    expect(await readdir(join(dir, 'uploads'))).toEqual([]);
    await expect(finish(second.client, target, [part1, part2])).rejects.toMatchObject(failure(404, 'NoSuchUpload'));
  });

  it('refuses parts that are missing, changed, too small or out of order, and keeps the upload', async () => {
    const { client } = await start();
    const target = await begin(client, 'strict');
    const small = await addPart(client, target, 1, randomBytes(100));
    const last = await addPart(client, target, 2, randomBytes(100));
    await expect(finish(client, target, [small, last])).rejects.toMatchObject(failure(400, 'EntityTooSmall'));
    await expect(finish(client, target, [last, small])).rejects.toMatchObject(failure(400, 'InvalidPartOrder'));
    await expect(finish(client, target, [{ ...small, ETag: last.ETag }])).rejects.toMatchObject(
      failure(400, 'InvalidPart'),
    );
    await expect(finish(client, target, [{ ...small, PartNumber: 3 }])).rejects.toMatchObject(
      failure(400, 'InvalidPart'),
    );
    await expect(addPart(client, target, 0, randomBytes(1))).rejects.toMatchObject(failure(400, 'InvalidArgument'));
    await expect(finish(client, { ...target, Key: 'other' }, [small])).rejects.toMatchObject(
      failure(404, 'NoSuchUpload'),
    );
    await finish(client, target, [small]);
  });

  it('completes only if no object has the key yet', async () => {
    const { client } = await start();
    const target = await begin(client, 'once');
    const part = await addPart(client, target, 1, Buffer.from('late'));
    await client.send(new PutObjectCommand({ Bucket, Key: 'once', Body: 'early' }));
    const complete = new CompleteMultipartUploadCommand({
      ...target,
      IfNoneMatch: '*',
      MultipartUpload: { Parts: [part] },
    });
    await expect(client.send(complete)).rejects.toMatchObject(failure(412, 'PreconditionFailed'));
    expect((await bytesOf(client, 'once')).toString()).toBe('early');
  });

  it('removes the parts of one that is aborted, and of one abandoned a week ago', async () => {
    const first = await start();
    const [aborted, abandoned] = [await begin(first.client, 'aborted'), await begin(first.client, 'abandoned')];
    for (const target of [aborted, abandoned]) await addPart(first.client, target, 1, randomBytes(100));
    await first.client.send(new AbortMultipartUploadCommand(aborted));
    expect(await readdir(join(dir, 'uploads'))).toEqual([abandoned.UploadId]);
    await first.stop();
    const longAgo = new Date(Date.now() - 8 * 86_400_000);
    await utimes(join(dir, 'uploads', abandoned.UploadId, 'upload'), longAgo, longAgo);
    await start();
    expect(await readdir(join(dir, 'uploads'))).toEqual([]);
  });
});

/** A body that stops coming: its reader waits until it is killed. */
async function* halfThenNothing(sizeBytes: number): AsyncGenerator<Buffer> {
  yield randomBytes(sizeBytes);
  await new Promise<never>(() => undefined);
}
