/** Looks at many tenants at once: which of them did anything since the checkpoint before. One or two round trips for a page of them. */
import { unpackCounters } from '../../gate/counters.ts';
import { unpackLimits } from '../../gate/gate-fields.ts';
import type { TenantId } from '../../ids.ts';
import type { Keys } from '../../keys.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import type { CheckpointObject } from '../format/checkpoint-object.ts';
import type { PartLine } from '../format/manifest-part.ts';
import type { CheckpointTenant } from '../format/manifest-schema.ts';
import type { RecordPages } from '../walk/record-pages.ts';
import type { TenantStates } from './tenant-state.ts';

export interface ScannedTenant {
  readonly tenant: TenantId;
  readonly before: CheckpointTenant | null;
  /** Digest of its state. */
  readonly stateOf: string;
  /** What the checkpoint has of it, whose records did not change; null: its run is to be written. */
  readonly kept: ((state: CheckpointObject | null) => readonly PartLine[]) | null;
}

export type TenantScan = ReturnType<typeof createTenantScan>;

export function createTenantScan(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly pages: Pick<RecordPages, 'changesCommand'>;
  readonly states: Pick<TenantStates, 'digestCommands' | 'digestOf'>;
}) {
  const { redis, keys, pages, states } = deps;

  const gates = async (ids: readonly TenantId[], signal: AbortSignal) => {
    const commands = ids.flatMap((id) => [
      ['HMGET', keys.gate(id), 'h', 'm', 'f', 'v'] as const,
      ...states.digestCommands(id),
    ]);
    const replies = await redis.sendAll(commands, { kind: 'read', signal });
    const each = ids.length === 0 ? 0 : commands.length / ids.length;
    return ids.flatMap((id, i) => {
      const [gate, ...state] = replies.slice(i * each, (i + 1) * each);
      const [limits, counters, feed, invalidated] = Array.isArray(gate) ? (gate as readonly (string | null)[]) : [];
      if (typeof limits !== 'string' || typeof counters !== 'string') return [];
      const first = Number(/^f1,(\d+)$/.exec(feed ?? '')?.[1] ?? 0);
      const stateOf = states.digestOf(limits, state);
      return [{ id, limits: unpackLimits(limits), counters, first, hides: isPending(invalidated), stateOf }];
    });
  };

  return {
    /** Those that are there. */
    async look(
      ids: readonly TenantId[],
      before: ReadonlyMap<TenantId, CheckpointTenant>,
      signal: AbortSignal,
    ): Promise<readonly ScannedTenant[]> {
      const found = await gates(ids, signal);
      const still = found.flatMap(({ id, limits, counters, first, hides }) => {
        const line = before.get(id);
        const { feedEpochMs, seq } = unpackCounters(counters);
        const toldOf =
          line?.generation === limits.generation && feedEpochMs === line.epoch && first > 0 && first <= line.epoch;
        // Of what an invalidation hides nobody is told before it is reclaimed.
        return toldOf && !(hides && seq !== line.seq) ? [line] : [];
      });
      const commands = still.map(({ tenant, generation, epoch }) =>
        pages.changesCommand({ id: tenant, generation }, { from: epoch, to: epoch }),
      );
      const changes = commands.length === 0 ? [] : await redis.sendAll(commands, { kind: 'read', signal });
      const unchanged = new Set(still.filter((_, i) => isEmpty(changes[i])).map(({ tenant }) => tenant));
      return found.map(({ id, counters, stateOf }) => {
        const line = before.get(id) ?? null;
        const kept = line !== null && unchanged.has(id) ? keptLines(line, counters, stateOf) : null;
        return { tenant: id, before: line, stateOf, kept };
      });
    },

    /** Digest of the state of one tenant; empty when it is not there. */
    async stateOf(id: TenantId, signal: AbortSignal): Promise<string> {
      return (await gates([id], signal))[0]?.stateOf ?? '';
    },
  };
}

/** Whether an invalidation is not settled: field `v` of the gate may only have a share of the memory, too. */
const isPending = (field: string | null | undefined): boolean =>
  typeof field === 'string' && !field.startsWith('v1,0,0,0,');

const isEmpty = (reply: unknown): boolean => Array.isArray(reply) && reply.length === 0;

const keptLines =
  (line: CheckpointTenant, counters: string, stateOf: string) =>
  (state: CheckpointObject | null): readonly PartLine[] => {
    const { tenant, generation, epoch, seq, runs, counts } = line;
    const begun = { tenant, generation, epoch, seq, counters, state, state_of: stateOf, kept: runs, run: null };
    return [
      { part: 'begun', ...begun },
      { part: 'ended', tenant, counts },
    ];
  };
