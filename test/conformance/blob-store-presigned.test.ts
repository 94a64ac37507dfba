/** URLs that let others write and read one object. */
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { newBlobKey, newBlobStore } from '../support/blob-session.ts';

const store = newBlobStore();
const MINUTE = { forMs: 60_000 };

const upload = async (url: string, body: Buffer, headers: Readonly<Record<string, string>>) =>
  (await fetch(url, { method: 'PUT', body: new Uint8Array(body), headers })).status;

describe.each(['supported', 'required'] as const)('presigned URLs, checksums %s [C6]', (checksums) => {
  const signing = newBlobStore({ checksums });

  it('an upload is stored as it was announced, and read by a URL with the type it was given', async () => {
    const key = newBlobKey('größe +&%25');
    const body = randomBytes(300_000);
    const { url, headers } = await signing.presignPut({ key, bytes: body.length, ...MINUTE });
    expect(await upload(url, body, headers)).toBe(200);
    expect((await store.get(key))?.body.equals(body)).toBe(true);
    const answer = await fetch(await signing.presignGet({ key, contentType: 'text/csv; charset=utf-8', ...MINUTE }));
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(Buffer.from(await answer.arrayBuffer()).equals(body)).toBe(true);
  });
});

describe('a presigned upload [C6]', () => {
  it.each([99, 101])('of %i bytes instead of 100 is refused, and nothing is stored', async (bytes) => {
    const key = newBlobKey();
    const { url, headers } = await store.presignPut({ key, bytes: 100, ...MINUTE });
    expect(await upload(url, randomBytes(bytes), headers)).toBe(403);
    expect(await store.head(key)).toBeNull();
  });

  it('that is sent in chunks, without a length, is refused', async () => {
    const key = newBlobKey();
    const { url, headers } = await store.presignPut({ key, bytes: 100, ...MINUTE });
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sent = request(url, { method: 'PUT', headers }, (reply) => {
        reply.resume();
        resolve(reply.statusCode);
      });
      sent.on('error', reject);
      sent.write(randomBytes(50));
      sent.end(randomBytes(50));
    });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(await store.head(key)).toBeNull();
  });

  it('cannot be repeated with other bytes, nor sent without what was signed', async () => {
    const key = newBlobKey();
    const body = randomBytes(100);
    const { url, headers } = await store.presignPut({ key, bytes: 100, ...MINUTE });
    const { 'if-none-match': _condition, ...unconditional } = headers;
    expect(await upload(url, body, unconditional)).toBe(403);
    expect(await upload(url, body, { ...headers, 'content-type': 'text/html' })).toBe(403);
    expect(await upload(url, body, headers)).toBe(200);
    expect(await upload(url, randomBytes(100), headers)).toBe(412);
    expect((await store.get(key))?.body.equals(body)).toBe(true);
    expect(await upload(url.replace(key.slice(-20), `${key.slice(-20)}2`), body, headers)).toBe(403);
  });
});
