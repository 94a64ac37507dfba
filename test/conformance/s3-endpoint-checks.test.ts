import { randomBytes } from 'node:crypto';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { describe, expect, it } from 'vitest';
import { failure, s3Session } from '../support/s3-session.ts';

const { Bucket, bytesOf, newKey, plain, put, s3 } = s3Session();

describe('checksums at the S3 endpoint', () => {
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

describe('presigned URLs of the S3 endpoint', () => {
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
