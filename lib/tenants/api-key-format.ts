/**
 * An API key as it is stored beside its gate field, in the hash `keys`: `<sha256>,<state>,<number>,<JSON>`. The number is
 * when it was revoked, Unix ms; of an active key the fence of the call that made its secret, 0 before there were fences.
 */
import type { CreateKeyRequest } from './key-contract.ts';

/** What a key's record says: never the secret. */
export interface KeyRecord {
  readonly id: string;
  readonly scopes: CreateKeyRequest['scopes'];
  /** As asked for; a rotation may have made it sooner, in the gate. */
  readonly expires_at: string | null;
  readonly name?: string;
  readonly created_at: string;
  readonly rate_limit?: { readonly operations_per_minute: number; readonly burst?: number | undefined };
}

export interface StoredKey {
  /** SHA-256 of the key, hex. */
  readonly hash: string;
  readonly revoked: boolean;
  readonly record: KeyRecord;
}

/** @throws {RangeError | SyntaxError} not written by a script. */
export function unpackStoredKey(text: string): StoredKey {
  const match = /^([0-9a-f]+),([ar]),\d+,(.*)$/s.exec(text);
  if (match === null) throw new RangeError('Not the record of an API key');
  const [, hash, state, json] = match as unknown as [string, string, string, string];
  return { hash, revoked: state === 'r', record: JSON.parse(json) as KeyRecord };
}
