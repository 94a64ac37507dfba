/** What is told of the memory of hot sessions: of a tenant from its gate, of all from what the last pass has summed up. */
import type { Config } from '../../../config/config.ts';
import type { TenantId } from '../../../ids.ts';
import { isoOf } from '../../../iso-time.ts';
import type { Keys } from '../../../keys.ts';
import { readUsage } from '../../../redis/bindings/billing-scripts.ts';
import type { RedisDriver, RedisReply } from '../../../redis/driver.ts';
import { readTogether } from '../../../redis/read-together.ts';
import { asList, asText, asTextOrNull, pairsOf } from '../../../redis/reply-shape.ts';
import { runScript } from '../../../redis/script.ts';
import { absent } from '../../../tenants/tenant-reader.ts';
import type { SpilloverResponse } from '../../http/spillover-contract.ts';
import { sessionSettings } from '../../session-settings.ts';
import { POOL_TOTAL } from '../budget/share-format.ts';
import { readGate, TENANT_FIELDS } from './pass-tenants.ts';
import type { SpillMoves } from './spill-counters.ts';
import { NO_SPILL_SUM, unpackSpillSum } from './spill-stats-format.ts';

export interface SpillStats {
  /** Live. Two round trips. @throws {NotFoundError} `tenant_not_found`. @throws {TenantErasedError} */
  ofTenant(id: TenantId, signal?: AbortSignal): Promise<SpilloverResponse>;
  /** As of the last pass; what is granted and quarantined is as of now. One round trip. */
  ofAll(signal?: AbortSignal): Promise<SpilloverResponse>;
}

type Quarantined = SpilloverResponse['quarantined'];

/** Of those in quarantine. */
const LATEST = 10;

export function createSpillStats(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly config: Pick<Config, 'sessions' | 'spillover'>;
}): SpillStats {
  const { redis, keys, config } = deps;

  /** The list has 10,000 at most. */
  const quarantinedOf = async (id: TenantId, signal?: AbortSignal): Promise<Quarantined> => {
    const command = ['ZRANGE', keys.sessionQuarantine(), 0, -1, 'REV', 'WITHSCORES'] as const;
    const own = listed(await redis.send(command, { kind: 'read', signal })).filter(({ tenant_id }) => tenant_id === id);
    return { count: own.length, latest: own.slice(0, LATEST) };
  };

  return {
    async ofTenant(id, signal) {
      const { nowMs, values, erased } = await runScript(redis, readUsage, {
        keys: { gate: keys.gate(id), erased: keys.erased(id) },
        args: { fields: [...TENANT_FIELDS] },
        kind: 'read',
        signal,
      });
      const found = readGate(values);
      if (found === null) throw absent(erased);
      const { data, shareBytes, hotBytes, sessions, spilled, spilledBytes, moves } = found;
      const settings = sessionSettings(data, config);
      const most = settings.maxHotBytes ?? config.spillover.maxMemoryBytes;
      return {
        tenant_id: id,
        as_of: isoOf(nowMs),
        ...movesOf(moves),
        budget: budgetOf({ most, ratio: settings.thresholdRatio, hotBytes, grantedBytes: shareBytes }),
        sessions,
        spilled_sessions: spilled,
        spilled_bytes: spilledBytes,
        quarantined: await quarantinedOf(id, signal),
      };
    },

    async ofAll(signal) {
      const quarantine = keys.sessionQuarantine();
      const [text = null, granted = null, count = 0, latest = []] = await readTogether(
        redis,
        [
          ['GET', keys.spillStats()],
          ['HGET', keys.sessionBudget(), POOL_TOTAL],
          ['ZCARD', quarantine],
          ['ZRANGE', quarantine, 0, LATEST - 1, 'REV', 'WITHSCORES'],
        ],
        { signal },
      );
      const sum = text === null ? NO_SPILL_SUM : unpackSpillSum(asText(text));
      const grantedBytes = Number(asTextOrNull(granted) ?? 0);
      const { maxMemoryBytes, thresholdRatio } = config.spillover;
      return {
        tenant_id: null,
        as_of: sum.asOfMs === 0 ? null : isoOf(sum.asOfMs),
        ...movesOf(sum.moves),
        budget: budgetOf({ most: maxMemoryBytes, ratio: thresholdRatio, hotBytes: sum.hotBytes, grantedBytes }),
        sessions: sum.sessions,
        spilled_sessions: sum.spilledSessions,
        spilled_bytes: sum.spilledBytes,
        quarantined: { count: Number(count), latest: listed(latest) },
        busiest: sum.busiest.map(({ id, hotBytes, shareBytes }) => ({
          ...{ tenant_id: id, hot_bytes: hotBytes, granted_bytes: shareBytes },
        })),
      };
    },
  };
}

const movesOf = ({ spilled, restored, spillOperations, restoreOperations, spillUs, restoreUs }: SpillMoves) => ({
  total_spilled: spilled,
  total_restored: restored,
  spill_operations: spillOperations,
  restore_operations: restoreOperations,
  avg_spill_time_ms: averageMs(spillUs, spillOperations),
  avg_restore_time_ms: averageMs(restoreUs, restoreOperations),
});

/** To the microsecond. */
const averageMs = (us: number, operations: number): number | null =>
  operations === 0 ? null : Math.round(us / operations) / 1_000;

const budgetOf = ({
  most,
  ratio,
  hotBytes,
  grantedBytes,
}: Readonly<Record<'most' | 'ratio' | 'hotBytes' | 'grantedBytes', number>>): SpilloverResponse['budget'] => ({
  max_memory_bytes: most,
  threshold_ratio: ratio,
  hot_bytes: hotBytes,
  granted_bytes: grantedBytes,
  ratio: Math.round((hotBytes / most) * 1e6) / 1e6,
});

/** `<tenant id>,session-<ULID>`, each with when. */
const listed = (members: RedisReply): Quarantined['latest'] =>
  pairsOf(asList(members).map(String)).map(([member, at]) => {
    const [tenantId = '', sessionId = ''] = member.split(',');
    return { tenant_id: tenantId as TenantId, session_id: sessionId, at: isoOf(Number(at)) };
  });
