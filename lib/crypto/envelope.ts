/**
 * A sealed value as it is stored: `<version of the data key>.<base64 of nonce 12 | tag 16 | ciphertext>`. Every text names
 * its key, so keys are rotated while values under older ones are read.
 */
import type { KeyObject } from 'node:crypto';
import { CorruptValueError } from '../errors.ts';
import { openBytes, sealBytes } from './aes-gcm.ts';

const VERSION = /^[1-9]\d{0,8}$/;

export interface Sealing {
  /** 256 bits. */
  readonly key: KeyObject;
  /** Of that key, from 1. */
  readonly version: number;
  /** Made by `aadOf`. */
  readonly aad: Buffer;
  readonly plaintext: Uint8Array;
}

/** Seals a value. @throws {RangeError} a version no text can name. */
export function seal({ key, version, aad, plaintext }: Sealing): string {
  if (!VERSION.test(String(version))) throw new RangeError('A data key version is a whole number from 1 to 999999999');
  return `${version}.${sealBytes(key, aad, plaintext).toString('base64')}`;
}

export interface Opening {
  readonly text: string;
  readonly aad: Buffer;
  /** The tenant's data key of that version; undefined: it has none. What it throws is thrown on. */
  keyOf(version: number): KeyObject | undefined | Promise<KeyObject | undefined>;
}

/**
 * Opens a value.
 * @throws {CorruptValueError} it is not what was sealed under these parts, or its key is not among the tenant's.
 */
export async function open({ text, aad, keyOf }: Opening): Promise<Buffer> {
  const { version, sealed } = parse(text);
  const key = await keyOf(version);
  if (key === undefined) throw new CorruptValueError('A sealed value names a data key that the tenant does not have');
  return openBytes(key, aad, sealed);
}

function parse(text: string): { version: number; sealed: Buffer } {
  const dot = text.slice(0, 10).indexOf('.');
  const version = text.slice(0, Math.max(dot, 0));
  if (!VERSION.test(version)) throw notSealed();
  const base64 = text.slice(dot + 1);
  const sealed = Buffer.from(base64, 'base64');
  // Node skips what is no base64: one value has one text.
  if (sealed.toString('base64') !== base64) throw notSealed();
  return { version: Number(version), sealed };
}

const notSealed = () => new CorruptValueError('A stored value is not in the sealed form');
