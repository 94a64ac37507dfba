/** How the cache is to treat a namespace: what the tenant chose, else what the deployment has. Pure. */
import type { CacheConfig, Compression } from '../config/config.ts';
import type { NamespaceChoices } from '../gate/cache-choices.ts';
import type { TenantContext } from '../gate/context-format.ts';

export interface NamespaceSettings {
  readonly compression: Compression;
  /** How old an instance's own copy may be that answers a read; 0: none does. */
  readonly maxStaleMs: number;
  /** Of an entry that names none; null: it never expires. */
  readonly defaultTtlMs: number | null;
  /** How long after its lifetime an entry is kept, and served to who asks for a stale one; 0: not at all. */
  readonly graceMs: number;
  /** What is done at the tenant's memory limit; the same for all of its namespaces. */
  readonly eviction: CacheConfig['evictionPolicy'];
}

type Deployment = Pick<CacheConfig, 'enableCompression' | 'compressionAlgorithm' | 'defaultTtlMs' | 'evictionPolicy'>;

const NO_CHOICES: NamespaceChoices = {};

/**
 * Two look-ups and one small object: nothing is kept between calls. `cache.enable_compression: false` holds for every
 * namespace: it is how a deployment turns packing off.
 */
export function settingsFor(
  { cache }: Pick<TenantContext, 'cache'>,
  config: Deployment,
  namespace: string,
): NamespaceSettings {
  const { namespaces } = cache;
  // A namespace may be called `constructor`.
  const own = namespaces !== undefined && Object.hasOwn(namespaces, namespace) ? namespaces[namespace] : undefined;
  const { compression, max_stale_ms = 0, default_ttl_seconds: ttl, grace_seconds = 0 } = own ?? NO_CHOICES;
  return {
    compression: config.enableCompression ? (compression ?? config.compressionAlgorithm) : 'none',
    maxStaleMs: max_stale_ms,
    defaultTtlMs: ttl === undefined ? config.defaultTtlMs : ttl === null ? null : ttl * 1_000,
    graceMs: grace_seconds * 1_000,
    eviction: cache.eviction ?? config.evictionPolicy,
  };
}
