/** How long an entry lives, as scripts take it: ms it is fresh (0 for ever), ms it may be served stale after that. Pure. */
import type { NamespaceSettings } from './namespace-settings.ts';

/** Null: it never expires; absent: as the namespace is set. */
export interface Lifetime {
  readonly ttlMs?: number | null | undefined;
  readonly graceMs?: number | undefined;
  /** Instead of both: the times at which it goes stale and is gone, Unix ms; null: never. */
  readonly until?: { readonly expiresAtMs: number | null; readonly freshUntilMs: number | null };
}

export function lifetimeText(
  { ttlMs, graceMs, until }: Lifetime,
  settings: Pick<NamespaceSettings, 'defaultTtlMs' | 'graceMs'>,
): readonly [ttl: number | string, grace: number] {
  if (until !== undefined) return [`@${until.expiresAtMs ?? 0},${until.freshUntilMs ?? 0}`, 0];
  const ttl = ttlMs === undefined ? settings.defaultTtlMs : ttlMs;
  return ttl === null ? [0, 0] : [ttl, graceMs ?? settings.graceMs];
}
