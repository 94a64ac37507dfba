import { defineSettings } from '../setting.ts';
import { bytes, choice, flag, integer, milliseconds, seconds, text } from '../value-types.ts';

/** Part of every Redis key: no `:` or `{}`, which divide keys and choose the cluster slot. */
const keyPart = text('1 to 32 of A-Z a-z 0-9 _ -', /^[A-Za-z0-9_-]{1,32}$/);

/** The cache: lifetimes, sizes, packing. */
export const cacheSettings = defineSettings({
  default_ttl_seconds: {
    type: seconds(1),
    default: '86400',
    production: '3600',
    aliases: ['CACHE_DEFAULT_TTL_SECONDS'],
    hot: true,
    about: 'Lifetime of an entry that names none',
  },
  max_entry_size_bytes: {
    type: bytes(1, 5 * 2 ** 30),
    default: '20MB',
    production: '10MB',
    hot: false,
    about: 'Largest entry, before packing',
  },
  key_prefix: { type: keyPart, default: 'riptide', hot: false, fixed: true, about: 'First part of every Redis key' },
  version: {
    type: keyPart,
    default: 'v1',
    hot: false,
    fixed: true,
    about: 'Second part of every Redis key; another version starts empty',
  },
  enable_compression: {
    type: flag(),
    default: 'true',
    aliases: ['ENABLE_COMPRESSION', 'PERSISTENCE_ENABLE_COMPRESSION'],
    hot: true,
    about: 'Values are packed where it saves more than 10 %',
  },
  compression_threshold_bytes: {
    type: bytes(0),
    default: '1024',
    hot: true,
    about: 'Only values larger than this are packed',
  },
  compression_algorithm: {
    type: choice('none', 'lz4', 'zstd'),
    default: 'lz4',
    hot: true,
    about: '`lz4`, `zstd` or `none`; what is stored stays readable',
  },
  inline_max_bytes: {
    type: bytes(0, 8 * 2 ** 20),
    default: '262144',
    hot: true,
    about: 'Packed values above this live in S3, with a stub in Redis',
  },
  enable_warming: {
    type: flag(),
    default: 'true',
    aliases: ['PERSISTENCE_ENABLE_WARMING'],
    hot: true,
    about: 'Cold values come back from S3 by schedule, the latest first, while there is room',
  },
  warming_batch_size: {
    type: integer(1, 1_000),
    default: '100',
    hot: true,
    about: 'Values of a tenant that one run of the schedule brings back',
  },
  max_memory_bytes: {
    type: bytes(1),
    default: '1GB',
    production: '4GB',
    hot: true,
    about: 'Memory of all tenants’ entries together',
  },
  eviction_policy: {
    type: choice('lru', 'none'),
    default: 'lru',
    hot: true,
    about: 'At the memory limit: `lru` makes room by the coldest entries, `none` answers 507',
  },
  local_max_bytes: {
    type: bytes(0, 2 ** 30),
    default: '32MB',
    hot: false,
    about: 'Memory of one instance for its own copies of entries; 0 keeps none',
  },
  local_min_entry_bytes: {
    type: bytes(0),
    default: '4096',
    hot: true,
    about: 'Smaller entries are always read from Redis, which costs no more',
  },
  max_lease_ms: {
    type: milliseconds(1, 60_000),
    default: '60000',
    hot: true,
    about: 'Longest time one caller may take to load a value that others wait for',
  },
});
