/** AES-256-GCM with Node's own crypto, synchronous: `nonce 12 | tag 16 | ciphertext`. */
import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';
import { CorruptValueError } from '../errors.ts';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** What sealing adds to a plaintext. */
export const OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES;

/**
 * Seals bytes under a fresh random nonce.
 *
 * 96 random bits repeat with a chance below 2^-32 as long as one key seals no more than 2^32 messages (NIST SP 800-38D,
 * 8.3). A repeat would give away both plaintexts: keys are rotated long before (docs/adr/0013-encryption.md).
 */
export function sealBytes(key: KeyObject, aad: Buffer, plaintext: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(aad);
  const ciphertext = [cipher.update(plaintext), cipher.final()];
  return Buffer.concat([nonce, cipher.getAuthTag(), ...ciphertext]);
}

/** @throws {CorruptValueError} another key, other AAD, or not the bytes that were sealed. Nothing of them is given out. */
export function openBytes(key: KeyObject, aad: Buffer, sealed: Buffer): Buffer {
  if (sealed.length < OVERHEAD_BYTES) throw corrupt();
  const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(NONCE_BYTES, OVERHEAD_BYTES));
  const plaintext = decipher.update(sealed.subarray(OVERHEAD_BYTES));
  try {
    return Buffer.concat([plaintext, decipher.final()]);
  } catch {
    // Node's error adds nothing, and unverified plaintext must not outlive this call.
    plaintext.fill(0);
    throw corrupt();
  }
}

const corrupt = () => new CorruptValueError('A sealed value failed its check');
