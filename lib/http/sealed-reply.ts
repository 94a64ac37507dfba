/**
 * The kept reply of an idempotent call. It may hold a secret (a new API key), so it is encrypted under a key made of the
 * caller's own key and the `Idempotency-Key`: neither is stored, so the store alone cannot read it.
 *
 *   i1,<base64url of nonce 12 bytes, tag 16 bytes, AES-256-GCM of the JSON>; bytes in it stand as base64.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { Result } from './result.ts';

export interface ReplySecret {
  /** The caller's own key. */
  readonly caller: string;
  readonly idempotencyKey: string;
}

type StoredResult = Omit<Result, 'bytes'> & { readonly bytes_base64?: string };

const sealingKey = ({ caller, idempotencyKey }: ReplySecret) =>
  Buffer.from(hkdfSync('sha256', caller, idempotencyKey, 'riptide idempotent reply', 32));

export function sealReply({ bytes, ...result }: Result, secret: ReplySecret): string {
  const stored: StoredResult = bytes === undefined ? result : { ...result, bytes_base64: bytes.toString('base64') };
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', sealingKey(secret), nonce);
  const text = Buffer.concat([cipher.update(JSON.stringify(stored)), cipher.final()]);
  return `i1,${Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64url')}`;
}

/** @throws {Error} not sealed under this secret. */
export function unsealReply(reply: string, secret: ReplySecret): Result {
  const sealed = Buffer.from(reply.slice(3), 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', sealingKey(secret), sealed.subarray(0, 12));
  decipher.setAuthTag(sealed.subarray(12, 28));
  const text = Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]).toString('utf8');
  const { bytes_base64, ...result } = JSON.parse(text) as StoredResult;
  return bytes_base64 === undefined ? result : { ...result, bytes: Buffer.from(bytes_base64, 'base64') };
}
