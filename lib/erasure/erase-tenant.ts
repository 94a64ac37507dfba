/**
 * Erases one deleted tenant, everywhere, with a receipt. Every step may be the last one; running again goes on. The order:
 * nobody may undo it from here (1), it stands outside Redis (2), the last invoice (3), the keys (4), the data (5), the
 * receipt outside Redis (6) and in the tenant's place (7), into the log and off the lists (8).
 */
import type { Audit } from '../audit/audit.ts';
import { newAuditEntry, SYSTEM_ACTOR } from '../audit/entry.ts';
import type { Billing } from '../billing/billing.ts';
import { invoicePeriod } from '../billing/invoice-format.ts';
import type { BlobStore } from '../blobs/store.ts';
import type { DataKeys } from '../crypto/data-keys.ts';
import type { TenantKeys } from '../crypto/tenant-keys.ts';
import { TenantStateError } from '../errors.ts';
import { newUlid, type TenantId } from '../ids.ts';
import { erasureLogBlob, erasureReceiptBlob, type Keys } from '../keys.ts';
import { finishErasure, unlistTenant } from '../redis/bindings/tenant-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { runScript } from '../redis/script.ts';
import type { TenantChanges } from '../tenants/tenant-change.ts';
import type { CurrentTenant } from '../tenants/tenant-reader.ts';
import { removeBlobs } from './blob-data.ts';
import { isDue } from './due-erasures.ts';
import { removeJobs } from './job-data.ts';
import { type CheckedStore, type ErasureReceipt, type KeptRecord, type ReceiptFacts, sealReceipt } from './receipt.ts';
import { removeQuarantined, removeRecords, removeSessionShare } from './redis-data.ts';

const MAX_LOG_BYTES = 65_536;

export interface EraseTenantDeps {
  readonly redis: RedisDriver;
  readonly blobs: BlobStore;
  readonly keys: Keys;
  readonly changes: TenantChanges;
  readonly billing: Billing;
  readonly tenantKeys: TenantKeys;
  /** Null: no key provider is configured. */
  readonly dataKeys: DataKeys | null;
  readonly audit: Audit;
  /** Unix ms: for times in the log; Redis' own decides what is due. */
  readonly now: () => number;
}

/**
 * Found due, at a time of Redis' (Unix ms): unless it was undeleted since, or deleted anew with a later end. Or `revived`: it
 * was erased before and is there again, whatever its status says.
 */
export type EraseReason = { readonly foundMs: number } | 'revived';

/** @returns erases the tenant, or goes on with it. @throws what its ports throw; then it is to be run again. */
export function createEraseTenant(deps: EraseTenantDeps) {
  const { redis, blobs, keys, changes, billing, tenantKeys, audit, now } = deps;

  /** 1: from here on it cannot be undone. Begun before, it only reads. */
  const begin = async (id: TenantId, why: EraseReason, signal?: AbortSignal): Promise<CurrentTenant> => {
    let found: CurrentTenant | undefined;
    await changes.change(id, { signal }, (current) => {
      found = current;
      const { tenant } = current.stored;
      if (tenant.erasing_since !== undefined) return null;
      const at = new Date(now()).toISOString();
      const revived = why === 'revived';
      if (!revived && !isDue(tenant, why.foundMs))
        throw new TenantStateError('tenant_not_deleted', 'It was undeleted meanwhile');
      const erasing = {
        ...tenant,
        ...(revived ? ({ status: 'deleted', deleted_at: at, erase_at: at } as const) : {}),
        erasing_since: at,
      };
      return { tenant: erasing, action: 'tenant.erase', details: { state: 'begun', ...(revived ? { revived } : {}) } };
    });
    return found as CurrentTenant;
  };

  /** 2: an empty Redis has no tombstones. What the counters said at the beginning is kept from the first run. */
  const logBeginning = async (id: TenantId, current: CurrentTenant, signal?: AbortSignal) => {
    const { counters, apiKeys, context } = current;
    const facts = {
      format: 1,
      tenant_id: id,
      began_at: new Date(now()).toISOString(),
      encrypted: context.keys.length > 0,
      before: {
        entries: counters.entries,
        memory_bytes: counters.memoryBytes,
        storage_bytes: counters.storageBytes,
        api_keys: apiKeys,
      },
    };
    const body = Buffer.from(JSON.stringify(facts));
    const put = { key: erasureLogBlob(id), body, contentType: 'application/json', onlyIf: 'absent' } as const;
    if ((await blobs.put(put, { signal })) !== null) return facts;
    const first = await blobs.get(erasureLogBlob(id), { signal, maxBytes: MAX_LOG_BYTES });
    return first === null ? facts : (JSON.parse(first.body.toString()) as typeof facts);
  };

  /** 4: what is encrypted under them is lost from here on, wherever a copy may be. */
  const shred = async (id: TenantId, signal?: AbortSignal): Promise<CheckedStore> => {
    const found = Number(await tenantKeys.exists(id, signal));
    await tenantKeys.destroy(id, signal);
    deps.dataKeys?.forget(id);
    return { store: 's3', name: 'keys/<tenant>', removed: found, left: Number(await tenantKeys.exists(id, signal)) };
  };

  const kept = async (id: TenantId, signal?: AbortSignal): Promise<KeptRecord[]> => {
    const fields = (await redis.send(['HKEYS', keys.billing(id)], { kind: 'read', signal })) as readonly string[];
    const count = fields.filter((field) => invoicePeriod(field) !== null).length;
    return [
      { name: 'invoices', count, reason: 'Accounting: they hold amounts and the tenant id, no owner data' },
      { name: 'audit_log', count: null, reason: 'Accountability: its entries hold the tenant id, no owner data' },
      { name: 'replies', count: null, reason: 'To idempotent calls of administration: sealed, gone within 24 hours' },
    ];
  };

  /** 7: all else the tenant has in its slot goes in the same step. */
  const finish = (id: TenantId, receipt: ErasureReceipt, signal?: AbortSignal) =>
    runScript(redis, finishErasure, {
      keys: { erased: keys.erased(id), record: keys.record(id), others: keys.slotOf(id) },
      args: { receipt: JSON.stringify(receipt) },
      kind: 'write',
      signal,
    });

  /** 8. The receipt names its entry: told again, it is the same one. */
  const unlist = async (id: TenantId, { sha256, erased_at, audit_entry }: ErasureReceipt, signal?: AbortSignal) => {
    const entry = newAuditEntry({
      id: audit_entry,
      action: 'tenant.erase',
      tenantId: id,
      actor: SYSTEM_ACTOR,
      requestId: null,
      details: { state: 'done', receipt_sha256: sha256 },
      now: Date.parse(erased_at),
    });
    await audit.append(entry, signal);
    await runScript(redis, unlistTenant, {
      keys: {
        tenants: keys.tenants(),
        index: keys.tenantIndex(),
        summary: keys.tenantSummary(),
        refusals: keys.refusals(),
        behind: keys.billingBehind(),
      },
      args: { id },
      kind: 'write',
      signal,
    });
  };

  /** 5: every store is emptied, then looked at again. */
  const removeAll = async (id: TenantId, { limits }: CurrentTenant, signal?: AbortSignal): Promise<CheckedStore[]> => {
    const shredded = await shred(id, signal);
    const jobs = await removeJobs(deps, id, signal);
    const records = await removeRecords(deps, id, { current: limits.generation, signal });
    const share = await removeSessionShare(deps, id, signal);
    const quarantined = await removeQuarantined(deps, id, signal);
    const stores = [shredded, jobs, records, share, quarantined, ...(await removeBlobs(blobs, id, signal))];
    if (stores.some(({ left }) => left > 0)) throw new Error('An erasure found data after it had removed all');
    return stores;
  };

  /** 6, 7. Of two runs at once the first receipt counts: the one in S3. */
  const writeReceipt = async (id: TenantId, facts: ReceiptFacts, signal?: AbortSignal): Promise<ErasureReceipt> => {
    const key = erasureReceiptBlob(id);
    const mine = sealReceipt(facts);
    const body = Buffer.from(JSON.stringify(mine));
    const written = await blobs.put({ key, body, contentType: 'application/json', onlyIf: 'absent' }, { signal });
    const first = written === null ? await blobs.get(key, { signal, maxBytes: MAX_LOG_BYTES }) : null;
    const receipt = first === null ? mine : (JSON.parse(first.body.toString()) as ErasureReceipt);
    await finish(id, receipt, signal);
    return receipt;
  };

  return async (id: TenantId, why: EraseReason, signal?: AbortSignal): Promise<ErasureReceipt> => {
    const done = await readReceipt(deps, id, signal);
    if (done !== null) {
      await unlist(id, done, signal);
      return done;
    }
    const current = await begin(id, why, signal);
    const { encrypted, before } = await logBeginning(id, current, signal);
    await billing.closeFinal(id, signal);
    const stores = await removeAll(id, current, signal);
    const receipt = await writeReceipt(
      id,
      {
        tenant_id: id,
        deleted_at: current.stored.tenant.deleted_at ?? '',
        erased_at: new Date(now()).toISOString(),
        audit_entry: newUlid(now()),
        before,
        method: encrypted ? 'removal_and_crypto_shred' : 'removal',
        stores,
        kept: await kept(id, signal),
      },
      signal,
    );
    await unlist(id, receipt, signal);
    return receipt;
  };
}

/** The receipt in the tenant's place; null: it is not erased. */
export async function readReceipt(
  { redis, keys }: Pick<EraseTenantDeps, 'redis' | 'keys'>,
  id: TenantId,
  signal?: AbortSignal,
): Promise<ErasureReceipt | null> {
  const text = await redis.send(['GET', keys.erased(id)], { kind: 'read', signal });
  return typeof text === 'string' ? (JSON.parse(text) as ErasureReceipt) : null;
}
