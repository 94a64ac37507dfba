/**
 * Cursors of lists of entries: the key a page ended with. One that the tenant's policies keep from the caller is sealed: a cursor
 * names no key that the page does not. The sealing key is made from the admin key's digest, which every instance has; with
 * another admin key such a list is begun again.
 */
import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { openBytes, sealBytes } from '../crypto/aes-gcm.ts';
import { CorruptValueError, InvalidRequestError } from '../errors.ts';
import type { TenantId } from '../ids.ts';
import { isKey } from './entry-rules.ts';

/** No UTF-8 begins so. */
const SEALED = Buffer.from([0xff]);

/** The list a cursor is of. */
export interface ListPlace {
  readonly tenantId: TenantId;
  readonly namespace: string;
  readonly prefix: string;
}

export type ListCursors = ReturnType<typeof createListCursors>;

/** @param secret of the deployment. */
export function createListCursors(secret: string) {
  let made: KeyObject | undefined;
  const sealingKey = (): KeyObject => {
    made ??= createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', 'riptide list cursor', 32)));
    return made;
  };

  const open = (place: ListPlace, bytes: Buffer): string => {
    try {
      return openBytes(sealingKey(), boundTo(place), bytes.subarray(SEALED.length)).toString('utf8');
    } catch (error) {
      if (error instanceof CorruptValueError) throw noPage();
      throw error;
    }
  };

  return {
    /** @param hidden whether the caller may not know the key. */
    write(place: ListPlace, key: string, hidden: boolean): string {
      const bytes = Buffer.from(key);
      if (!hidden) return bytes.toString('base64url');
      return Buffer.concat([SEALED, sealBytes(sealingKey(), boundTo(place), bytes)]).toString('base64url');
    },

    /** The key. @throws {InvalidRequestError} not a cursor of this list. */
    read(place: ListPlace, cursor: string): string {
      const bytes = Buffer.from(cursor, 'base64url');
      const key = bytes[0] === SEALED[0] ? open(place, bytes) : bytes.toString('utf8');
      if (!isKey(key) || !key.startsWith(place.prefix)) throw noPage();
      return key;
    },
  };
}

/** Neither a tenant id nor a namespace holds a NUL. */
const boundTo = ({ tenantId, namespace, prefix }: ListPlace) => Buffer.from([tenantId, namespace, prefix].join('\0'));

const noPage = () =>
  new InvalidRequestError('There is no such page', {
    issues: [{ field: 'cursor', message: 'must be the next_cursor of a page of this list' }],
  });
