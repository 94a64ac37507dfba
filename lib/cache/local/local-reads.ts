/**
 * Reads by the copies this instance holds. Redis is asked whether a copy is still what is stored, in the same round trip that
 * asks for the value: only what has changed is sent. A namespace with `max_stale_ms` is also answered from here alone, for so
 * long after Redis was asked: such a read is neither metered nor limited, and what another instance wrote, invalidated or
 * revoked meanwhile is seen up to so much later.
 */
import type { CacheConfig } from '../../config/config.ts';
import type { Caller } from '../../gate/caller.ts';
import type { TenantContext } from '../../gate/context-format.ts';
import type { Gate } from '../../gate/gate.ts';
import type { TenantId } from '../../ids.ts';
import type { EntryName } from '../../keys.ts';
import type { StoredEntry, StoredHead } from '../entry.ts';
import { resourceOf } from '../entry-call.ts';
import { settingsFor } from '../namespace-settings.ts';
import { createLocalEntries, type LocalEntry, type LocalName } from './local-entries.ts';

export interface LocalReads {
  /** The copy to ask Redis about; null: there is none. */
  find(tenantId: TenantId, name: EntryName, context: TenantContext): LocalEntry | null;
  /** The copy that answers without asking Redis; null: Redis is to be asked. */
  answer(caller: Caller, name: EntryName, stale: boolean): StoredEntry | null;
  /** Keeps what was read or written. `askedAtMs`: {@link LocalReads.nowMs} before Redis was asked. */
  keep(tenantId: TenantId, name: EntryName, entry: StoredEntry, at: KeptAt): void;
  /** Redis says that the copy is what is stored, and what its head is now. */
  confirm(tenantId: TenantId, name: EntryName, head: StoredHead, at: KeptAt): void;
  /** The entry was changed or removed by this instance, or nobody knows. */
  forget(tenantId: TenantId, name: EntryName): void;
  /** So were entries nobody names. */
  forgetTenant(tenantId: TenantId): void;
  nowMs(): number;
}

export interface KeptAt {
  readonly context: TenantContext;
  readonly askedAtMs: number;
}

/** @param deps.nowMs Unix ms of a clock that never goes back (elapsed-clock.ts). */
export function createLocalReads(deps: {
  readonly gate: Pick<Gate, 'knownContext' | 'vouches'>;
  readonly config: CacheConfig;
  readonly nowMs: () => number;
}): LocalReads {
  const { gate, config, nowMs } = deps;
  const { localMaxBytes: maxBytes } = config;
  const entries = createLocalEntries({ maxBytes, now: nowMs });
  const nameOf = (tenantId: TenantId, { namespace, key }: EntryName, { generation }: TenantContext): LocalName => ({
    tenantId,
    generation,
    namespace,
    key,
  });
  /** Small ones cost no less to ask about than to read; where nobody is asked, they too save a round trip. */
  const pays = ({ namespace }: EntryName, entry: StoredEntry, context: TenantContext) =>
    maxBytes > 0 &&
    (entry.value.length >= config.localMinEntryBytes || settingsFor(context, config, namespace).maxStaleMs > 0);

  return {
    nowMs,
    find: (tenantId, name, context) => (maxBytes === 0 ? null : entries.find(nameOf(tenantId, name, context))),

    answer(caller, name, stale) {
      const context = maxBytes === 0 ? undefined : gate.knownContext(caller.tenantId);
      if (context === undefined || context.cache.namespaces === undefined) return null;
      const { maxStaleMs } = settingsFor(context, config, name.namespace);
      if (maxStaleMs === 0) return null;
      const local = entries.find(nameOf(caller.tenantId, name, context));
      if (local === null || nowMs() - local.validatedAtMs >= maxStaleMs || (local.entry.stale && !stale)) return null;
      const access = { scope: 'cache:read', resource: resourceOf(name), withinMs: maxStaleMs };
      return gate.vouches(caller, access) ? local.entry : null;
    },

    keep(tenantId, name, entry, { context, askedAtMs }) {
      if (pays(name, entry, context)) {
        entries.keep(nameOf(tenantId, name, context), { entry, validatedAtMs: askedAtMs });
      }
    },
    confirm: (tenantId, name, head, { context, askedAtMs }) =>
      entries.confirm(nameOf(tenantId, name, context), head, askedAtMs),
    forget(tenantId, name) {
      const context = gate.knownContext(tenantId);
      if (maxBytes > 0 && context !== undefined) entries.forget(nameOf(tenantId, name, context));
    },
    forgetTenant: (tenantId) => entries.forgetTenant(tenantId),
  };
}
