/**
 * Tells the deployment what changed in a tenant: the list of tenants and the audit log, which live in another slot. Until
 * that is done the entries wait in the tenant's outbox, field `o` of its gate, where the clean-up finds them.
 */
import type { AuditEntry } from '../audit/entry.ts';
import { OutcomeUnknownError } from '../errors.ts';
import type { TenantId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import { ackAudit, publishChange } from '../redis/bindings/tenant-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { readTogether } from '../redis/read-together.ts';
import { runScript } from '../redis/script.ts';
import { type StoredTenant, unpackRecord } from './record-format.ts';
import { NO_SUMMARY, summaryOf } from './tenant-summary.ts';

export interface Publication {
  /** Null: the record is gone; only entries are told. */
  readonly stored: StoredTenant | null;
  /** Field `o` of the gate: audit entries, one a line; empty: there are none. */
  readonly outbox: string;
  readonly signal?: AbortSignal | undefined;
}

export type Publisher = ReturnType<typeof createPublisher>;

export function createPublisher(deps: { readonly redis: RedisDriver; readonly keys: Keys }) {
  const { redis, keys } = deps;

  const tell = (id: TenantId, { stored, outbox, signal }: Publication) =>
    runScript(redis, publishChange, {
      keys: {
        tenants: keys.tenants(),
        index: keys.tenantIndex(),
        summary: keys.tenantSummary(),
        pending: keys.auditPending(),
        seen: keys.auditSeen(),
      },
      args: {
        id,
        ...(stored === null ? NO_SUMMARY : summaryOf(stored)),
        entries: linesOf(outbox).flatMap((line) => [(JSON.parse(line) as AuditEntry).id, line]),
      },
      kind: 'write',
      signal,
    });

  const ack = (id: TenantId, { outbox, signal }: Publication) =>
    runScript(redis, ackAudit, {
      keys: { gate: keys.gate(id) },
      args: { entries: linesOf(outbox) },
      kind: 'write',
      signal,
    });

  return {
    /**
     * Publishes a change that was made; two round trips.
     * @throws {OutcomeUnknownError} it is made, but not yet published. Again, or the next clean-up, publishes it.
     */
    async publish(id: TenantId, publication: Publication): Promise<void> {
      await tell(id, publication).catch((cause: unknown) => {
        throw new OutcomeUnknownError('It was done, but is not yet listed', { retryAfterMs: 1_000, cause });
      });
      if (publication.outbox === '') return;
      // All is done and told: what stays in the outbox is told once more by the clean-up, and not taken twice.
      await ack(id, publication).catch(() => undefined);
    },

    /** Publishes whatever of a tenant is not yet; three round trips. Changes nothing where nothing is left. */
    async republish(id: TenantId, signal?: AbortSignal): Promise<void> {
      const commands = [
        ['GET', keys.record(id)],
        ['HGET', keys.gate(id), 'o'],
      ] as const;
      const [record, entries] = await readTogether(redis, commands, { signal });
      const stored = typeof record === 'string' ? unpackRecord(record) : null;
      const outbox = typeof entries === 'string' ? entries : '';
      await tell(id, { stored, outbox, signal });
      if (outbox !== '') await ack(id, { stored, outbox, signal });
    },
  };
}

const linesOf = (outbox: string) => outbox.split('\n').filter((line) => line !== '');
