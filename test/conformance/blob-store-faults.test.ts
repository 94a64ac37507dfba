import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, describe, expect, it } from 'vitest';
import { startS3Endpoint } from '../../infra/local/s3/start-s3-endpoint.ts';
import type { BlobStore } from '../../lib/blobs/store.ts';
import { BlobUnavailableError } from '../../lib/errors.ts';
import { blobConfig, blobCredentials, failureOf, newBlobKey, newBlobStore } from '../support/blob-session.ts';

const store = newBlobStore();
const credentials = blobCredentials();

const elapsedMs = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};

describe('faults', () => {
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
    const silent = newBlobStore({ endpoint: await listen(() => undefined), requestTimeoutMs: 400 });
    const tookMs = await elapsedMs(async () =>
      expect(await failureOf(call(silent))).toBeInstanceOf(BlobUnavailableError),
    );
    expect(tookMs).toBeLessThan(2000);
  });

  it('ends a get in time when the body stops half way', async () => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\netag: "e"\r\n\r\n';
    const url = await listen((socket) => socket.on('data', () => socket.write(`${head}half`)));
    const stalling = newBlobStore({ endpoint: url, requestTimeoutMs: 400 });
    const tookMs = await elapsedMs(async () =>
      expect(await failureOf(stalling.get('k'))).toMatchObject({ code: 'blob_store_unavailable' }),
    );
    expect(tookMs).toBeLessThan(2000);
  });

  it('does not serve a body that was cut', async () => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\netag: "e"\r\n\r\n';
    const url = await listen((socket) => socket.on('data', () => socket.end(`${head}half`)));
    const cut = newBlobStore({ endpoint: url });
    expect(await failureOf(cut.get('k'))).toBeInstanceOf(BlobUnavailableError);
  });

  it('ends with the signal of its caller', async () => {
    const silent = newBlobStore({ endpoint: await listen(() => undefined) });
    const tookMs = await elapsedMs(async () => {
      expect(await failureOf(silent.get('k', { signal: AbortSignal.timeout(200) }))).toBeInstanceOf(
        BlobUnavailableError,
      );
    });
    expect(tookMs).toBeLessThan(2000);
  });

  it('knows its own conditional write again when the first answer was lost', async () => {
    const key = newBlobKey();
    const lossy = await listen(loseFirstAnswer(Number(new URL(blobConfig().endpoint).port)));
    const client = newBlobStore({ endpoint: lossy });
    const put = await client.put({ key, body: Buffer.from('mine'), onlyIf: 'absent' });
    expect(put).toEqual({ etag: (await store.head(key))?.etag });
    expect(await client.put({ key, body: Buffer.from('other'), onlyIf: 'absent' })).toBeNull();
  });

  it.each(Object.entries(calls))('tells at once that the store is down: %s', async (_name, call) => {
    const down = newBlobStore({ endpoint: 'http://127.0.0.1:1' });
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
    await client.send(new CreateBucketCommand({ Bucket: blobConfig().bucket }));
    client.destroy();
    const steady = newBlobStore({ endpoint: first.url });
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
        const error = await failureOf(call(newBlobStore({}, wrong)));
        expect(error).toBeInstanceOf(BlobUnavailableError);
        expect(error.message).toMatch(/credentials/);
        expect(JSON.stringify([error.message, error, String(error.stack)])).not.toMatch(
          /other-secret-77|nobody-88|tenant-secret|Signature=/,
        );
      }
    },
  );

  it('says that the bucket does not exist', async () => {
    const lost = newBlobStore({ bucket: 'no-such-bucket' });
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
