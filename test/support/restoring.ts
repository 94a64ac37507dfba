/** Restores as tests start them, and all that callers can see of a tenant. */
import type { App } from '../../lib/app.ts';
import type { StartRestore } from '../../lib/checkpoints/restore/restores.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import type { TenantId } from '../../lib/ids.ts';
import { livingAt, redisView } from './checkpoint-view.ts';
import { redisTimeMs } from './redis-time.ts';
import { jobResult } from './state-app.ts';

export interface RestoreResult {
  readonly checkpoint_id: string;
  readonly dry_run: boolean;
  readonly safety_checkpoint_id: string | null;
  readonly undo_checkpoint_id: string | null;
  readonly totals: Readonly<Record<string, number>>;
  readonly tenants: readonly Readonly<Record<string, unknown>>[];
}

export type RestoreChanges = Partial<Omit<StartRestore, 'checkpointId'>> & { readonly tenants?: readonly TenantId[] };

/** Of all tenants, unless told otherwise. @returns its job's id. */
export async function startRestore(app: App, checkpointId: string, { tenants, ...changes }: RestoreChanges = {}) {
  const scope = tenants === undefined ? ({ kind: 'all' } as const) : ({ kind: 'tenants', tenants } as const);
  const job = await app.restores.start({
    ...{ checkpointId, scope, dryRun: false, sessions: 'known', cache: true, inlineMs: 30_000 },
    ...changes,
  });
  return job.id;
}

/** Done. @throws when the job failed. */
export async function restore(app: App, checkpointId: string, changes: RestoreChanges = {}): Promise<RestoreResult> {
  return (await jobResult(app, await startRestore(app, checkpointId, changes))) as unknown as RestoreResult;
}

/** What callers know of a tenant. */
export interface Known {
  readonly caller: Caller;
  readonly namespaces: readonly string[];
  readonly users: readonly string[];
  /** Ids of sessions, also of such as have ended. */
  readonly sessions: readonly string[];
}

/** All that can be read of it: values, metadata, tags, expiry, sessions with data and versions, lists. */
export async function visibleTo(app: App, { caller, namespaces, users, sessions }: Known) {
  const entries: Record<string, unknown> = {};
  for (const namespace of namespaces) {
    const keys: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await app.cache.list(caller, namespace, cursor === undefined ? {} : { cursor });
      keys.push(...page.items.map(({ key }) => key));
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    for (const key of keys) {
      const entry = await app.cache.get(caller, { namespace, key }, { stale: true });
      if (entry === null || !('value' in entry)) throw new Error(`An entry is listed and not there: ${key}`);
      const { value, meta, etag, expiresAtMs, updatedAtMs, rawBytes, freshUntilMs } = entry;
      entries[`${namespace}/${key}`] = {
        ...{ value: value.toString('base64'), meta, etag, expiresAtMs, updatedAtMs, rawBytes, freshUntilMs },
      };
    }
  }
  const lists: Record<string, unknown> = {};
  for (const user of users) {
    const { items } = await app.sessions.list(caller, user, { limit: 100 });
    lists[user] = items.map(({ tier: _tier, ...info }) => info);
  }
  const found: Record<string, unknown> = {};
  for (const id of sessions) {
    const session = await app.sessions.get(caller, id, { touch: false });
    found[id] = session && { ...session, tier: undefined, data: Object.fromEntries(session.data) };
  }
  return { entries, lists, sessions: found };
}

/** Records of the generation that serves that live, as they stand there; without what they are charged, which differs with the generation. */
export async function livingRecords(app: App, id: TenantId): Promise<Readonly<Record<string, string>>> {
  const living = livingAt(await redisView(app, id), await redisTimeMs(app));
  return Object.fromEntries(
    Object.entries(living).map(([order, record]) => {
      if (record.kind === 'cache') return [order, record.stored.replace(/^((?:[^,]*,){6})\d+,/, '$1-,')];
      const uncharged = (text: string) => text.replace(/^((?:[^,]*,){7})\d{8},/, '$1-,');
      if ('stub' in record) return [order, uncharged(record.stub)];
      const fields = Object.entries(record.hash).map(([name, text]) => [name, name === 'h' ? uncharged(text) : text]);
      return [order, JSON.stringify(fields.toSorted())];
    }),
  );
}
