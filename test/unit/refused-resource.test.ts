import { describe, expect, it } from 'vitest';
import { refusedResource } from '../../lib/alerts/refused-resource.ts';
import { NotFoundError, QuotaExceededError, RateLimitedError, StorageFullError } from '../../lib/errors.ts';

describe('the quota behind a refusal [T10]', () => {
  it.each([
    [new StorageFullError('memory_full', 'full'), 'memory_bytes'],
    [new StorageFullError('storage_full', 'full'), 'storage_bytes'],
    [new QuotaExceededError('used up', { details: { resource: 'operations_per_minute' } }), 'operations_per_minute'],
    [new QuotaExceededError('used up', { details: { resource: 'data_transfer_bytes' } }), 'data_transfer_bytes'],
    [new StorageFullError('store_full', "the deployment's store, not the tenant's quota"), undefined],
    [new QuotaExceededError('used up', { details: { resource: 'other' } }), undefined],
    [new QuotaExceededError('used up'), undefined],
    [new RateLimitedError('too fast', { details: { resource: 'operations_per_minute' } }), undefined],
    [new NotFoundError('entry_not_found', 'gone'), undefined],
    ['no error', undefined],
  ])('%s', (error, resource) => {
    expect(refusedResource(error)).toBe(resource);
  });
});
