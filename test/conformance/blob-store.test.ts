import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CorruptValueError } from '../../lib/errors.ts';
import { failureOf, newBlobKey, newBlobStore } from '../support/blob-session.ts';

const store = newBlobStore();

describe.each(['supported', 'required'] as const)('objects, checksums %s [C6 P3 K1]', (checksums) => {
  const objects = newBlobStore({ checksums });

  it.each([0, 1, 10_000, 6_000_000])('gives back %i bytes exactly, with their metadata', async (sizeBytes) => {
    const key = newBlobKey('größe +&%25.session');
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
    const prefix = newBlobKey('many/');
    const keys = Array.from({ length: 2300 }, (_, at) => `${prefix}${String(at).padStart(4, '0')}`);
    const present = keys.filter((_, at) => at % 20 === 0);
    await Promise.all(present.map((key) => objects.put({ key, body: Buffer.of(1) })));
    await objects.delete(keys);
    expect(await objects.list({ prefix })).toEqual({ items: [], nextCursor: null });
    await objects.delete([]);
  });
});

describe('storage classes [P6]', () => {
  it.each(['STANDARD', 'STANDARD_IA', 'ONEZONE_IA', 'INTELLIGENT_TIERING', 'GLACIER_IR'] as const)(
    'keeps an object in %s and tells of it',
    async (storageClass) => {
      const key = newBlobKey();
      const body = randomBytes(1000);
      await store.put({ key, body, storageClass });
      expect(await store.get(key)).toMatchObject({ body, storageClass });
      expect(await store.head(key)).toMatchObject({ storageClass });
      expect((await store.list({ prefix: key })).items).toMatchObject([{ key, storageClass }]);
    },
  );

  it('puts an object into the default class when none is named, and into the last one that was', async () => {
    const key = newBlobKey();
    const body = Buffer.of(1);
    await store.put({ key, body });
    expect(await store.head(key)).toMatchObject({ storageClass: 'STANDARD' });
    const etag = (await store.put({ key, body, storageClass: 'GLACIER_IR' }))?.etag ?? expect.fail();
    await store.put({ key, body, storageClass: 'STANDARD_IA', onlyIf: { etag } });
    expect(await store.head(key)).toMatchObject({ storageClass: 'STANDARD_IA' });
    await store.put({ key, body });
    expect(await store.head(key)).toMatchObject({ storageClass: 'STANDARD' });
  });
});

describe('objects', () => {
  it('answers null for what is not there', async () => {
    expect(await store.get(newBlobKey())).toBeNull();
    expect(await store.get(newBlobKey(), { range: { start: 0, end: 5 } })).toBeNull();
    expect(await store.head(newBlobKey())).toBeNull();
  });

  it('reads a range, the last byte included, and says how large the whole is', async () => {
    const key = newBlobKey();
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
    const key = newBlobKey();
    await store.put({ key, body: randomBytes(1_000_000) });
    expect(await failureOf(store.get(key, { maxBytes: 999_999 }))).toBeInstanceOf(CorruptValueError);
    expect((await store.get(key, { maxBytes: 1_000_000 }))?.sizeBytes).toBe(1_000_000);
    expect((await store.get(key, { maxBytes: 10, range: { start: 0, end: 9 } }))?.body.length).toBe(10);
  });

  it('lists in key order, page by page, only what has the prefix', async () => {
    const prefix = newBlobKey('pages/');
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

describe('conditional writes', () => {
  it('lets exactly one of 16 racing creators win, and keeps what it wrote', async () => {
    const key = newBlobKey();
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
    const key = newBlobKey();
    const first = await store.put({ key, body: Buffer.from('1') });
    const etag = first?.etag ?? expect.fail();
    const second = await store.put({ key, body: Buffer.from('2'), onlyIf: { etag } });
    expect(second).not.toBeNull();
    expect(await store.put({ key, body: Buffer.from('3'), onlyIf: { etag } })).toBeNull();
    expect((await store.get(key))?.body.toString()).toBe('2');
    expect(await store.put({ key: newBlobKey(), body: Buffer.from('4'), onlyIf: { etag } })).toBeNull();
  });
});
