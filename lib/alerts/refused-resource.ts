import { type AppError, QuotaExceededError, StorageFullError } from '../errors.ts';
import { RESOURCES, type Resource } from './resources.ts';

/** Percent of a quota from which a refusal says that it is used up: below, the request was large, not the use. */
const USED_UP_PERCENT = 80;

/**
 * The quota an error says was used up; undefined for every other error, also for calls that only came too fast, and for a
 * single request too large for a quota that has room.
 */
export function refusedResource(error: unknown): Resource | undefined {
  if (error instanceof StorageFullError) {
    const resource = fullResource(error.code);
    return isUsedUp(error.details) ? resource : undefined;
  }
  if (!(error instanceof QuotaExceededError)) return undefined;
  return isUsedUp(error.details) ? asResource(error.details.resource) : undefined;
}

function fullResource(code: StorageFullError['code']): Resource | undefined {
  if (code === 'memory_full') return 'memory_bytes';
  return code === 'storage_full' ? 'storage_bytes' : undefined;
}

/** What is held is in use. Of a quota of 0 nothing can be used, so a refusal is its only sign. */
const isUsedUp = ({ used, held = 0, limit }: AppError['details']): boolean =>
  typeof used === 'number' &&
  typeof held === 'number' &&
  typeof limit === 'number' &&
  (used + held) * 100 >= limit * USED_UP_PERCENT;

/** Undefined for a name that is none. */
export const asResource = (name: unknown): Resource | undefined => RESOURCES.find((resource) => resource === name);
