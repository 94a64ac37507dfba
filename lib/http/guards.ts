/** Who is let in. The admin key is compared here; a tenant's key in its gate, together with the work. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { App } from '../app.ts';
import { ForbiddenError, UnauthorizedError } from '../errors.ts';
import { type Caller, parseApiKey } from '../gate/caller.ts';
import type { HttpEvent } from './event.ts';

/**
 * The key sent with the request.
 * @throws {UnauthorizedError} `key_missing`.
 */
export function bearerOf(event: HttpEvent): string {
  const match = /^bearer ([\x21-\x7e]{1,512})$/i.exec(event.headers?.authorization?.trim() ?? '');
  if (match === null) throw new UnauthorizedError('key_missing');
  return match[1] as string;
}

/**
 * Lets the admin key in.
 * @throws {UnauthorizedError} no key, or an unknown one. @throws {ForbiddenError} a tenant's key.
 */
export async function requireAdmin(event: HttpEvent, app: App, signal?: AbortSignal): Promise<void> {
  const key = bearerOf(event);
  if (isAdminKey(key, app)) return;
  if (!key.startsWith('rt_')) throw new UnauthorizedError('key_unknown');
  await app.account.verify({ ...parseApiKey(key), signal });
  throw new ForbiddenError('wrong_key_kind', 'This endpoint takes the admin key, and this is the key of a tenant');
}

/**
 * Reads who calls; the gate decides.
 * @throws {UnauthorizedError} no key, or one that cannot be a tenant's. @throws {ForbiddenError} the admin key.
 */
export function readCaller(event: HttpEvent, app: App): Pick<Caller, 'tenantId' | 'keyId' | 'keyHash'> {
  const key = bearerOf(event);
  if (!key.startsWith('rt_') && isAdminKey(key, app)) {
    throw new ForbiddenError('wrong_key_kind', 'This endpoint takes the key of a tenant, and this is the admin key');
  }
  return parseApiKey(key);
}

function isAdminKey(key: string, app: App): boolean {
  const given = createHash('sha256').update(key).digest();
  return timingSafeEqual(given, Buffer.from(app.config.admin.keySha256, 'hex'));
}
