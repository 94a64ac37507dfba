import { describe, expect, it } from 'vitest';
import { refusedResource } from '../../lib/alerts/refused-resource.ts';
import { NotFoundError, QuotaExceededError, RateLimitedError, StorageFullError } from '../../lib/errors.ts';

describe('the quota behind a refusal [T10]', () => {
  const at = (used: number, limit: number, resource?: string) => ({
    details: { used, limit, ...(resource === undefined ? {} : { resource }) },
  });

  it.each([
    [new StorageFullError('memory_full', 'full', at(80, 100)), 'memory_bytes'],
    [new StorageFullError('storage_full', 'full', at(100, 100)), 'storage_bytes'],
    [new StorageFullError('memory_full', 'held', { details: { used: 30, held: 50, limit: 100 } }), 'memory_bytes'],
    [new StorageFullError('memory_full', 'room', { details: { used: 30, held: 49, limit: 100 } }), undefined],
    [new QuotaExceededError('used up', at(9, 9, 'operations_per_minute')), 'operations_per_minute'],
    [new QuotaExceededError('used up', at(9, 9, 'data_transfer_bytes')), 'data_transfer_bytes'],
    [new StorageFullError('memory_full', 'a quota of nothing', at(0, 0)), 'memory_bytes'],
    [new StorageFullError('memory_full', 'a value larger than the quota', at(0, 100)), undefined],
    [new StorageFullError('memory_full', 'a value larger than the rest', at(79, 100)), undefined],
    [new QuotaExceededError('more than a whole month has', at(0, 9, 'data_transfer_bytes')), undefined],
    [new StorageFullError('memory_full', 'nobody knows how much is used'), undefined],
    [new StorageFullError('store_full', "the deployment's store, not the tenant's quota", at(9, 9)), undefined],
    [new QuotaExceededError('used up', at(9, 9, 'other')), undefined],
    [new QuotaExceededError('used up'), undefined],
    [new RateLimitedError('too fast', at(9, 9, 'operations_per_minute')), undefined],
    [new NotFoundError('entry_not_found', 'gone'), undefined],
    ['no error', undefined],
  ])('%s', (error, resource) => {
    expect(refusedResource(error)).toBe(resource);
  });
});
