import { QuotaExceededError, StorageFullError } from '../errors.ts';
import { RESOURCES, type Resource } from './thresholds.ts';

/** The quota an error says was used up; undefined for every other error, also for calls that only came too fast. */
export function refusedResource(error: unknown): Resource | undefined {
  if (error instanceof StorageFullError) {
    if (error.code === 'memory_full') return 'memory_bytes';
    return error.code === 'storage_full' ? 'storage_bytes' : undefined;
  }
  return error instanceof QuotaExceededError ? asResource(error.details.resource) : undefined;
}

/** Undefined for a name that is none. */
export const asResource = (name: unknown): Resource | undefined => RESOURCES.find((resource) => resource === name);
