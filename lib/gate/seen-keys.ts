/**
 * Keys that this instance saw its gate admit of late: what a route may go by that stays open while nobody can be asked.
 * Bounded; a key that was refused since, as revoked, expired or of a suspended tenant, is forgotten.
 */

export interface SeenKeysOptions {
  /** Unix ms. */
  readonly now: () => number;
  readonly maxKeys?: number;
}

/** How long a key counts as admitted. */
const SEEN_MS = 5 * 60 * 1000;

export type SeenKeys = ReturnType<typeof createSeenKeys>;

export function createSeenKeys({ now, maxKeys = 20_000 }: SeenKeysOptions) {
  /** Hash of the key -> scope -> when it was last admitted with it, Unix ms. */
  const seen = new Map<string, Map<string, number>>();
  return {
    admitted(keyHash: string, scope: string): void {
      const scopes = seen.get(keyHash);
      if (scopes !== undefined) return void scopes.set(scope, now());
      if (seen.size >= maxKeys) seen.delete(seen.keys().next().value as string);
      seen.set(keyHash, new Map([[scope, now()]]));
    },
    refused(keyHash: string): void {
      seen.delete(keyHash);
    },
    /** Whether it was admitted with this scope within the last 5 minutes, or `withinMs` if that is less. */
    has(keyHash: string, scope: string, withinMs = SEEN_MS): boolean {
      const atMs = seen.get(keyHash)?.get(scope);
      return atMs !== undefined && now() - atMs < Math.min(SEEN_MS, withinMs);
    },
  };
}
