/** What a restore would do to a tenant: nothing is changed. */
import type { Keys } from '../../keys.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import type { CheckpointStore } from '../checkpoint-store.ts';
import { orderOf } from '../format/checkpoint-line.ts';
import type { CheckpointTenant } from '../format/manifest-schema.ts';
import type { LoggedErasures } from '../logged-erasures.ts';
import { pendingEpochs } from '../walk/pending-epochs.ts';
import type { RecordPages } from '../walk/record-pages.ts';
import { comingRecords } from './coming-records.ts';
import { rowFor, type TenantRow } from './restore-cursor.ts';
import type { StepContext } from './restore-job.ts';
import { recordsOf } from './restored-source.ts';
import type { SessionRestore } from './session-restore.ts';
import { diffTenant, visibleNow } from './tenant-diff.ts';
import type { TenantRestore } from './tenant-restore.ts';

export type RestorePreview = ReturnType<typeof createRestorePreview>;

export function createRestorePreview(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly store: CheckpointStore;
  readonly erasures: Pick<LoggedErasures, 'isErased'>;
  readonly pages: RecordPages;
  readonly restore: Pick<TenantRestore, 'gateOf'>;
  readonly sessions: Pick<SessionRestore, 'find'>;
  /** Unix ms. */
  readonly now: () => number;
}) {
  const { store, erasures, pages, restore, sessions, now: clock } = deps;

  const previewSession = async (
    line: CheckpointTenant,
    ulid: string,
    generation: number | null,
    signal: AbortSignal,
  ) => {
    if (generation === null) return rowFor(line, 'unknown');
    const record = await sessions.find(line, ulid, signal);
    const now = await pages.one({ id: line.tenant, generation, signal }, orderOf(record), clock());
    const diff = await diffTenant(each(record), now === null ? nothing() : each(now), () => true);
    return rowFor(line, 'would_restore', { diff });
  };

  /** What a restore would do to a tenant. */
  const preview = async (line: CheckpointTenant, { params, signal }: StepContext): Promise<TenantRow> => {
    const gate = await restore.gateOf(line.tenant, signal);
    if (gate === null && (await erasures.isErased(line.tenant, signal))) return rowFor(line, 'erased');
    if (gate?.limits.status === 'deleted') return rowFor(line, 'deleted');
    const withSessions = gate !== null || params.sessions === 'revive';
    const { scope } = params;
    if (scope.kind === 'session') return previewSession(line, scope.session, gate?.limits.generation ?? null, signal);
    const place = { id: line.tenant, generation: gate?.limits.generation ?? 0, signal };
    const then = comingRecords(deps, place, recordsOf(store, line, signal), clock());
    const isRestored = ({ kind }: { readonly kind: string }) => (kind === 'cache' ? params.cache : withSessions);
    if (gate === null) return rowFor(line, 'would_revive', { diff: await diffTenant(then, nothing(), isRestored) });
    const now = visibleNow(pages, place, await pendingEpochs(deps, line.tenant, signal), clock());
    return rowFor(line, 'would_restore', { diff: await diffTenant(then, now, isRestored) });
  };

  return preview;
}

async function* nothing() {}

async function* each<T>(one: T) {
  yield one;
}
