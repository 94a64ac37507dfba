/**
 * When entries were last forgotten, so that a read that began before is not kept after it. In memory of one size: names share
 * 1,024 places, and a name may be taken for forgotten because another one was; it is only not kept that once.
 */
import type { EntryName } from '../../keys.ts';

const PLACES = 1_024;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

export function createForgotten() {
  const atMs = new Float64Array(PLACES).fill(Number.NEGATIVE_INFINITY);
  let allAtMs = Number.NEGATIVE_INFINITY;
  return {
    add(name: ScopedName, nowMs: number): void {
      atMs[placeOf(name)] = nowMs;
    },
    addAll(nowMs: number): void {
      allAtMs = nowMs;
    },
    /** Whether the name was forgotten at that time or later, Unix ms. */
    isSince: (name: ScopedName, sinceMs: number): boolean =>
      sinceMs <= allAtMs || sinceMs <= (atMs[placeOf(name)] as number),
  };
}

interface ScopedName extends EntryName {
  readonly tenantId: string;
}

/** FNV-1a. */
function placeOf({ tenantId, namespace, key }: ScopedName): number {
  let hash = FNV_OFFSET;
  for (const text of [tenantId, namespace, key]) {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  }
  return (hash >>> 0) % PLACES;
}
