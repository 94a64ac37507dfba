/** What a tenant's context says of its cache. Whatever is absent is as the deployment is set (lib/cache/namespace-settings.ts). */
import type { CacheConfig, Compression } from '../config/config.ts';

export interface CacheChoices {
  readonly eviction?: CacheConfig['evictionPolicy'];
  /** By name; names are the tenant's own, also such as `constructor`: ask for own properties only. */
  readonly namespaces?: Readonly<Record<string, NamespaceChoices>>;
}

export interface NamespaceChoices {
  readonly compression?: Compression;
  readonly max_stale_ms?: number;
  /** Null: entries that name no lifetime never expire. */
  readonly default_ttl_seconds?: number | null;
  readonly grace_seconds?: number;
}
