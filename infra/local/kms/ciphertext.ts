/** What the endpoint gives out as a ciphertext: `RTK1 | key id 16 | version 4 | nonce 12 | tag 16 | ciphertext`. */
import { createSecretKey, type KeyObject } from 'node:crypto';
import { OVERHEAD_BYTES, openBytes, sealBytes } from '../../../lib/crypto/aes-gcm.ts';
import { CorruptValueError } from '../../../lib/errors.ts';
import type { StoredKey } from './key-file.ts';
import { invalidCiphertext } from './kms-error.ts';

export type EncryptionContext = Readonly<Record<string, string>>;

const MAGIC = Buffer.from('RTK1');
const HEAD_BYTES = MAGIC.length + 16 + 4;

/** Wraps bytes under the newest version of a key. */
export function wrapBytes(key: StoredKey, context: EncryptionContext, plaintext: Uint8Array): Buffer {
  const version = key.versions.length;
  const head = Buffer.alloc(HEAD_BYTES);
  MAGIC.copy(head);
  head.write(key.id.replaceAll('-', ''), MAGIC.length, 'hex');
  head.writeUInt32BE(version, HEAD_BYTES - 4);
  return Buffer.concat([head, sealBytes(materialOf(key, version), aadFor(head, context), plaintext)]);
}

/** The id of the key a ciphertext names; nothing of it is verified yet. @throws {KmsError} InvalidCiphertextException. */
export function keyIdOf(blob: Buffer): string {
  if (blob.length < HEAD_BYTES + OVERHEAD_BYTES || !blob.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw invalidCiphertext();
  }
  const hex = blob.toString('hex', MAGIC.length, MAGIC.length + 16);
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** @throws {KmsError} InvalidCiphertextException: another context, a version that is gone, or damaged. */
export function unwrapBytes(key: StoredKey, context: EncryptionContext, blob: Buffer): Buffer {
  const head = blob.subarray(0, HEAD_BYTES);
  const version = head.readUInt32BE(HEAD_BYTES - 4);
  if (version < 1 || version > key.versions.length) throw invalidCiphertext();
  try {
    return openBytes(materialOf(key, version), aadFor(head, context), blob.subarray(HEAD_BYTES));
  } catch (error) {
    throw error instanceof CorruptValueError ? invalidCiphertext() : error;
  }
}

const materialOf = (key: StoredKey, version: number): KeyObject =>
  createSecretKey(key.versions[version - 1] as string, 'base64');

/** Names and values sorted by name: the order in which a caller lists them does not matter, as in KMS. */
function aadFor(head: Buffer, context: EncryptionContext): Buffer {
  const sorted = Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.concat([head, Buffer.from(JSON.stringify(sorted))]);
}
