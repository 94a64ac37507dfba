import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type S3Endpoint, startS3Endpoint } from '../../infra/local/s3/start-s3-endpoint.ts';
import { createS3Store } from '../../lib/blobs/s3-store.ts';
import type { BlobStore } from '../../lib/blobs/store.ts';
import type { BlobConfig } from '../../lib/config/config.ts';
import { BlobUnavailableError, CorruptValueError } from '../../lib/errors.ts';

const credentials = { accessKeyId: 'blob-suite', secretAccessKey: 'blob-suite-secret-2f61' };
const bucket = 'riptide-suite';
let dir: string;
let endpoint: S3Endpoint;
let store: BlobStore;

const configFor = (url: string, more: Partial<BlobConfig> = {}): BlobConfig => ({
  bucket,
  endpoint: url,
  region: 'us-east-1',
  forcePathStyle: true,
  requestTimeoutMs: 5000,
  checksums: 'supported',
  ...more,
});
const newKey = (name = 'object') => `suite/${randomUUID()}/${name}`;
const failureOf = (call: Promise<unknown>): Promise<Error> =>
  call.then(
    () => expect.fail('it did not fail'),
    (error: Error) => error,
  );
const elapsedMs = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'riptide-blobs-'));
  endpoint = await startS3Endpoint({ dir, ...credentials });
  const client = new S3Client({ endpoint: endpoint.url, region: 'us-east-1', forcePathStyle: true, credentials });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
  store = createS3Store(configFor(endpoint.url), { credentials });
});

afterAll(async () => {
  await endpoint.stop();
  await rm(dir, { recursive: true, force: true });
});

describe.each(['supported', 'required'] as const)('objects, checksums %s [C6 P3 K1]', (checksums) => {
  let objects: BlobStore;
  beforeAll(() => {
    objects = createS3Store(configFor(endpoint.url, { checksums }), { credentials });
  });

  it.each([0, 1, 10_000, 6_000_000])('gives back %i bytes exactly, with their metadata', async (sizeBytes) => {
    const key = newKey('größe +&%25.session');
    const body = randomBytes(sizeBytes);
    const before = Date.now();
    const put = await objects.put({
      key,
      body,
      metadata: { codec: 'lz4', raw: '123' },
      contentType: 'application/x-lz4',
    });
    const got = await objects.get(key);
    expect(got?.body.equals(body)).toBe(true);
    expect(got).toMatchObject({ key, sizeBytes, etag: put?.etag, metadata: { codec: 'lz4', raw: '123' } });
    expect(got?.modifiedAtMs).toBeGreaterThan(before - 2000);
    const { body: _body, ...info } = got ?? expect.fail();
    expect(await objects.head(key)).toEqual(info);
  });

  it('removes 2,300 objects, present or not, and lists none of them after', async () => {
    const prefix = newKey('many/');
    const keys = Array.from({ length: 2300 }, (_, at) => `${prefix}${String(at).padStart(4, '0')}`);
    const present = keys.filter((_, at) => at % 20 === 0);
    await Promise.all(present.map((key) => objects.put({ key, body: Buffer.of(1) })));
    await objects.delete(keys);
    expect(await objects.list({ prefix })).toEqual({ items: [], nextCursor: null });
    await objects.delete([]);
  });
});

describe('objects [P3 K1]', () => {
  it('answers null for what is not there', async () => {
    expect(await store.get(newKey())).toBeNull();
    expect(await store.get(newKey(), { range: { start: 0, end: 5 } })).toBeNull();
    expect(await store.head(newKey())).toBeNull();
  });

  it('reads a range, the last byte included, and says how large the whole is', async () => {
    const key = newKey();
    const body = randomBytes(1000);
    await store.put({ key, body });
    const part = await store.get(key, { range: { start: 100, end: 199 } });
    expect(part?.body.equals(body.subarray(100, 200))).toBe(true);
    expect(part?.sizeBytes).toBe(1000);
    const tail = await store.get(key, { range: { start: 990, end: 5000 } });
    expect(tail?.body.equals(body.subarray(990))).toBe(true);
    expect(await failureOf(store.get(key, { range: { start: 1000, end: 1001 } }))).toBeInstanceOf(CorruptValueError);
  });

  it('refuses an object above maxBytes and goes on working', async () => {
    const key = newKey();
    await store.put({ key, body: randomBytes(1_000_000) });
    expect(await failureOf(store.get(key, { maxBytes: 999_999 }))).toBeInstanceOf(CorruptValueError);
    expect((await store.get(key, { maxBytes: 1_000_000 }))?.sizeBytes).toBe(1_000_000);
    expect((await store.get(key, { maxBytes: 10, range: { start: 0, end: 9 } }))?.body.length).toBe(10);
  });

  it('lists in key order, page by page, only what has the prefix', async () => {
    const prefix = newKey('pages/');
    const keys = Array.from({ length: 25 }, (_, at) => `${prefix}${String(at).padStart(3, '0')}-&<é`);
    await Promise.all(
      [...keys, `${prefix.slice(0, -1)}!other`].map((key) => store.put({ key, body: Buffer.from(key) })),
    );
    const pages: string[][] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await store.list({ prefix, limit: 10, cursor });
      pages.push(page.items.map((item) => item.key));
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    expect(pages.map((page) => page.length)).toEqual([10, 10, 5]);
    expect(pages.flat()).toEqual(keys);
    const [first] = (await store.list({ prefix, limit: 1 })).items;
    expect(first).toMatchObject({
      sizeBytes: Buffer.byteLength(keys[0] ?? ''),
      etag: (await store.head(keys[0] ?? ''))?.etag,
    });
  });
});

describe('conditional writes [C10 K1]', () => {
  it('lets exactly one of 16 racing creators win, and keeps what it wrote', async () => {
    const key = newKey();
    const outcomes = await Promise.all(
      Array.from({ length: 16 }, (_, at) => store.put({ key, body: Buffer.from(`writer ${at}`), onlyIf: 'absent' })),
    );
    const winner = outcomes.findIndex((outcome) => outcome !== null);
    expect(outcomes.filter((outcome) => outcome !== null)).toHaveLength(1);
    const kept = await store.get(key);
    expect(kept?.body.toString()).toBe(`writer ${winner}`);
    expect(kept).toMatchObject({ etag: outcomes[winner]?.etag, metadata: {} });
  });

  it('replaces a version only while it is the current one', async () => {
    const key = newKey();
    const first = await store.put({ key, body: Buffer.from('1') });
    const etag = first?.etag ?? expect.fail();
    const second = await store.put({ key, body: Buffer.from('2'), onlyIf: { etag } });
    expect(second).not.toBeNull();
    expect(await store.put({ key, body: Buffer.from('3'), onlyIf: { etag } })).toBeNull();
    expect((await store.get(key))?.body.toString()).toBe('2');
    expect(await store.put({ key: newKey(), body: Buffer.from('4'), onlyIf: { etag } })).toBeNull();
  });
});

describe('faults [M3]', () => {
  const others: { server: Server; sockets: Set<Socket> }[] = [];
  const listen = async (onSocket: (socket: Socket) => void): Promise<string> => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => undefined));
      onSocket(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    others.push({ server, sockets });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  afterAll(() => {
    for (const { server, sockets } of others) {
      server.close();
      for (const socket of sockets) socket.destroy();
    }
  });

  const calls: Record<string, (broken: BlobStore) => Promise<unknown>> = {
    put: (broken) => broken.put({ key: 'tenant-secret/key', body: Buffer.from('value') }),
    'put if absent': (broken) => broken.put({ key: 'tenant-secret/key', body: Buffer.from('value'), onlyIf: 'absent' }),
    get: (broken) => broken.get('tenant-secret/key'),
    head: (broken) => broken.head('tenant-secret/key'),
    list: (broken) => broken.list({ prefix: 'tenant-secret/' }),
    delete: (broken) => broken.delete(['tenant-secret/key']),
    ping: (broken) => broken.ping(),
  };

  it.each(Object.entries(calls))('ends %s in time when the store accepts and never answers', async (_name, call) => {
    const silent = createS3Store(configFor(await listen(() => undefined), { requestTimeoutMs: 400 }), { credentials });
    const tookMs = await elapsedMs(async () =>
      expect(await failureOf(call(silent))).toBeInstanceOf(BlobUnavailableError),
    );
    expect(tookMs).toBeLessThan(2000);
  });

  it('ends a get in time when the body stops half way', async () => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\netag: "e"\r\n\r\n';
    const url = await listen((socket) => socket.on('data', () => socket.write(`${head}half`)));
    const stalling = createS3Store(configFor(url, { requestTimeoutMs: 400 }), { credentials });
    const tookMs = await elapsedMs(async () =>
      expect(await failureOf(stalling.get('k'))).toMatchObject({ code: 'blob_store_unavailable' }),
    );
    expect(tookMs).toBeLessThan(2000);
  });

  it('does not serve a body that was cut', async () => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\netag: "e"\r\n\r\n';
    const url = await listen((socket) => socket.on('data', () => socket.end(`${head}half`)));
    const cut = createS3Store(configFor(url), { credentials });
    expect(await failureOf(cut.get('k'))).toBeInstanceOf(BlobUnavailableError);
  });

  it('ends with the signal of its caller', async () => {
    const silent = createS3Store(configFor(await listen(() => undefined)), { credentials });
    const tookMs = await elapsedMs(async () => {
      expect(await failureOf(silent.get('k', { signal: AbortSignal.timeout(200) }))).toBeInstanceOf(
        BlobUnavailableError,
      );
    });
    expect(tookMs).toBeLessThan(2000);
  });

  it('knows its own conditional write again when the first answer was lost', async () => {
    const key = newKey();
    const lossy = await listen(loseFirstAnswer(endpoint.port));
    const client = createS3Store(configFor(lossy), { credentials });
    const put = await client.put({ key, body: Buffer.from('mine'), onlyIf: 'absent' });
    expect(put).toEqual({ etag: (await store.head(key))?.etag });
    expect(await client.put({ key, body: Buffer.from('other'), onlyIf: 'absent' })).toBeNull();
  });

  it.each(Object.entries(calls))('tells at once that the store is down: %s', async (_name, call) => {
    const down = createS3Store(configFor('http://127.0.0.1:1'), { credentials });
    const tookMs = await elapsedMs(async () => {
      const error = await failureOf(call(down));
      expect(error).toMatchObject({ code: 'blob_store_unavailable', status: 503, retryAfterMs: 1000 });
      expect(JSON.stringify([error.message, error])).not.toMatch(/tenant-secret/);
      expect(error.cause).toBeUndefined();
    });
    expect(tookMs).toBeLessThan(2000);
  });

  it('works again when the store is back, without a new client', async () => {
    const home = await mkdtemp(join(tmpdir(), 'riptide-blobs-back-'));
    const first = await startS3Endpoint({ dir: home, ...credentials });
    const client = new S3Client({ endpoint: first.url, region: 'us-east-1', forcePathStyle: true, credentials });
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    client.destroy();
    const steady = createS3Store(configFor(first.url), { credentials });
    await steady.put({ key: 'kept', body: Buffer.from('durable') });
    await first.stop();
    expect(await failureOf(steady.ping())).toBeInstanceOf(BlobUnavailableError);
    const second = await startS3Endpoint({ dir: home, port: first.port, ...credentials });
    await steady.ping();
    expect((await steady.get('kept'))?.body.toString()).toBe('durable');
    await second.stop();
    await rm(home, { recursive: true });
  });

  it.each(Object.entries(calls))(
    'says that the credentials were refused, and none of them: %s',
    async (_name, call) => {
      for (const wrong of [
        { ...credentials, secretAccessKey: 'other-secret-77' },
        { accessKeyId: 'nobody-88', secretAccessKey: 'other-secret-77' },
      ]) {
        const error = await failureOf(call(createS3Store(configFor(endpoint.url), { credentials: wrong })));
        expect(error).toBeInstanceOf(BlobUnavailableError);
        expect(error.message).toMatch(/credentials/);
        expect(JSON.stringify([error.message, error, String(error.stack)])).not.toMatch(
          /other-secret-77|nobody-88|tenant-secret|Signature=/,
        );
      }
    },
  );

  it('says that the bucket does not exist', async () => {
    const lost = createS3Store(configFor(endpoint.url, { bucket: 'no-such-bucket' }), { credentials });
    expect(await failureOf(lost.get('k'))).toMatchObject({ message: expect.stringContaining('bucket does not exist') });
    expect(await failureOf(lost.ping())).toBeInstanceOf(BlobUnavailableError);
    await store.ping();
  });
});

/** Relays to the endpoint; the first answer is read in full, then its connection is cut instead of passing it on. */
function loseFirstAnswer(port: number): (socket: Socket) => void {
  let isFirst = true;
  return (socket) => {
    const loses = isFirst;
    isFirst = false;
    const upstream = connect(port, '127.0.0.1').on('error', () => socket.destroy());
    socket.pipe(upstream);
    socket.on('close', () => upstream.destroy());
    if (loses) upstream.once('data', () => socket.resetAndDestroy());
    else upstream.pipe(socket);
  };
}
