/** Looks at the service's session memory again and again while something else is done. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '../../../../lib/client/client.ts';
import { demand, demandStatus } from '../../claims.ts';
import type { Look } from './memory-history.ts';
import { addLooks, type Budget, toLook } from './spillover-look.ts';

const INTERVAL_MS = 250;

export interface MemoryWatch {
  /** Names what is done from now on. */
  enter(phase: string): void;
  /** One more look, now. @throws {BrokenClaimError} there was more in Redis than may be. */
  look(): Promise<Look>;
  /** All so far. */
  looks(): readonly Look[];
  /** No more looks. @throws {BrokenClaimError} there was more in Redis than may be at one of them. */
  stop(): Promise<void>;
}

/** Begins to look, at these tenants together. */
export function watchMemory(admin: Client, tenantIds: readonly string[], budget: Budget): MemoryWatch {
  const startedAt = performance.now();
  const looks: Look[] = [];
  const stopping = new AbortController();
  let phase = '';

  const look = async () => {
    const at = { phase, at_ms: performance.now() - startedAt };
    const all = await Promise.all(tenantIds.map((id) => lookAt(admin, id)));
    const sum = all.reduce(addLooks);
    const taken = { ...sum, ...at };
    looks.push(taken);
    demand(
      taken.hot_bytes <= budget.maxBytes,
      `Sessions hold ${taken.hot_bytes} bytes of Redis, and may hold ${budget.maxBytes}`,
    );
    return taken;
  };

  const watching = (async () => {
    while (!stopping.signal.aborted) {
      await look();
      await delay(INTERVAL_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
  })();
  // Told by `stop`; until then a failure is nobody's.
  watching.catch(() => {});

  return {
    enter: (next) => {
      phase = next;
    },
    look,
    looks: () => looks,
    async stop() {
      stopping.abort();
      await watching;
    },
  };
}

async function lookAt(admin: Client, tenantId: string): Promise<Omit<Look, 'at_ms' | 'phase'>> {
  const reply = await admin.getSpillover({ query: { tenant_id: tenantId } });
  demandStatus(reply, 200, 'The session memory of a tenant');
  return toLook(reply.data);
}
