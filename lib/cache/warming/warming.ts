/** Loads entries into a tenant's cache ahead of their first read, and exports them: the work of an administrator. */
import type { Audit } from '../../audit/audit.ts';
import { type AuditAction, type AuditDetails, newAuditEntry } from '../../audit/entry.ts';
import { defined } from '../../defined.ts';
import { CorruptValueError, InvalidRequestError } from '../../errors.ts';
import { newUlid, type TenantId } from '../../ids.ts';
import type { Job } from '../../jobs/job.ts';
import type { Jobs } from '../../jobs/jobs.ts';
import { type AdminCall, originOf } from '../../tenants/admin-call.ts';
import { checkName } from '../entry-rules.ts';
import type { ExportCacheRequest } from '../exports/export-contract.ts';
import type { ExportStore } from '../exports/export-store.ts';
import type { ColdCall, ColdWarming } from './cold-warming.ts';
import type { EntryLoader } from './entry-loader.ts';
import type { EntryPeeker } from './entry-peeker.ts';
import type { LoadedEntry } from './load-plan.ts';
import {
  sourceOf,
  type WarmCacheRequest,
  type WarmCacheResponse,
  type WarmEntry,
  type WarmItem,
} from './warm-contract.ts';
import { checkWarmEntry, type WarmTtl } from './warm-entry.ts';
import type { WarmParams } from './warm-job.ts';
import { addCounts, itemOf } from './warm-report.ts';

/** Done, or going on as a job. */
export type Warmed = { readonly report: WarmCacheResponse } | { readonly job: Job };

export type Warming = ReturnType<typeof createWarming>;

/** An export that is loaded in so many ms is answered at once; one that is written in them is done with its 202. */
const INLINE_MS = 3_000;

export function createWarming(deps: {
  readonly loader: EntryLoader;
  readonly peeker: EntryPeeker;
  readonly exports: ExportStore;
  readonly cold: ColdWarming;
  readonly jobs: Pick<Jobs, 'start'>;
  readonly audit: Pick<Audit, 'append'>;
  /** Unix ms. */
  readonly now: () => number;
}) {
  const { loader, peeker, exports, cold, jobs, audit, now } = deps;

  /** Before the work: what was begun is logged, whatever becomes of it. */
  const log = (action: AuditAction, tenantId: TenantId, details: AuditDetails, call: AdminCall) => {
    const id = call.ulid ?? newUlid(now());
    return audit.append(newAuditEntry({ action, tenantId, ...originOf(call), details, now: now(), id }), call.signal);
  };

  const warmEntries = async (
    request: WarmCacheRequest,
    entries: readonly WarmEntry[],
    { dryRun, ulid, signal }: Call,
  ) => {
    const ttlMs = ttlOf(request);
    const items: WarmItem[] = [];
    const good: { readonly at: number; readonly entry: LoadedEntry }[] = [];
    entries.forEach((given, at) => {
      const checked = checkWarmEntry(given, ttlMs);
      if ('entry' in checked) good.push({ at, entry: checked.entry });
      else items[at] = { status: 'invalid', namespace: given.namespace, key: given.key, detail: checked.detail };
    });
    const options = { operation: ulid, overwrite: request.overwrite, dryRun, signal };
    const loaded = good.map(({ entry }) => entry);
    const outcomes = await loader.store(request.tenant_id, loaded, options);
    good.forEach(({ at, entry }, i) => {
      items[at] = itemOf(outcomes[i] ?? 'stored', { ...entry.name });
    });
    return { report: { dry_run: dryRun, counts: addCounts({}, items), items } };
  };

  const warmExport = async (
    request: WarmCacheRequest,
    key: string,
    { dryRun, ulid, signal }: Call,
  ): Promise<Warmed> => {
    const { tenant_id: tenantId, overwrite } = request;
    await exports.find(tenantId, key, signal).catch(asInvalid);
    const params: WarmParams = defined({ export: key, overwrite, dryRun, ttlMs: ttlOf(request) }) as WarmParams;
    const job = await jobs.start({
      kind: 'warm-cache',
      tenantId,
      params: params as never,
      unit: 'entries',
      opId: ulid,
      inlineMs: INLINE_MS,
      signal,
    });
    return job.status === 'done' ? { report: job.result as unknown as WarmCacheResponse } : { job };
  };

  const warmCold = async ({ tenant_id: id, cold_keys, cold: latest }: WarmCacheRequest, call: ColdCall) => {
    const names = [...new Set(cold_keys?.keys)].map((key) => ({ namespace: cold_keys?.namespace ?? '', key }));
    for (const name of names) checkName(name);
    const items = latest === undefined ? await cold.keys(id, names, call) : await cold.latest(id, latest.limit, call);
    return { report: { dry_run: call.dryRun, counts: addCounts({}, items), items: [...items] } };
  };

  return {
    /**
     * Loads what the request names. The same operation again loads nothing twice.
     * @throws {NotFoundError} `tenant_not_found`, `export_not_found`. @throws {TenantErasedError}
     * @throws {TenantStateError} `deletion_pending`. @throws {InvalidRequestError} the export's manifest cannot be used.
     */
    async warm(
      request: WarmCacheRequest,
      { dryRun, ...admin }: AdminCall & { readonly dryRun: boolean },
    ): Promise<Warmed> {
      const { tenant_id: tenantId, entries, cold_keys, export: exported, overwrite } = request;
      const call: Call = { dryRun, ulid: admin.ulid ?? newUlid(now()), signal: admin.signal };
      const { context } = await peeker.peek(tenantId, [], { signal: admin.signal });
      const source = sourceOf(request);
      const details = { source, overwrite, entries: entries?.length ?? cold_keys?.keys.length ?? null };
      if (!dryRun) await log('cache.warm', tenantId, details, { ...admin, ulid: call.ulid });
      if (entries !== undefined) return warmEntries(request, entries, call);
      if (exported !== undefined) return warmExport(request, exported, call);
      return warmCold(request, { context, dryRun, signal: admin.signal });
    },

    /** Starts the export; a small one is done by then. @throws as `warm`. @throws {JobLimitError} */
    async export({ tenant_id: tenantId, ...params }: ExportCacheRequest, admin: AdminCall): Promise<Job> {
      const ulid = admin.ulid ?? newUlid(now());
      await peeker.peek(tenantId, [], { signal: admin.signal });
      // Keys and prefixes are the tenant's own, and not logged.
      await log('cache.export', tenantId, { plaintext: params.plaintext }, { ...admin, ulid });
      return jobs.start({
        kind: 'export-cache',
        tenantId,
        params,
        unit: 'entries',
        opId: ulid,
        inlineMs: INLINE_MS,
        signal: admin.signal,
      });
    },
  };
}

interface Call {
  readonly dryRun: boolean;
  readonly ulid: string;
  readonly signal: AbortSignal | undefined;
}

const ttlOf = ({ ttl_seconds: ttl }: WarmCacheRequest): WarmTtl =>
  ttl === undefined ? undefined : ttl === 'never' ? null : ttl * 1000;

function asInvalid(error: unknown): never {
  if (!(error instanceof CorruptValueError)) throw error;
  throw new InvalidRequestError(error.message, {
    issues: [{ field: 'body.export', message: 'must be the manifest of an export' }],
  });
}
