/**
 * The memory of the hot sessions of all tenants: a pool, of which each tenant is granted a share. At any time the hot bytes of a
 * tenant are at most what it is granted, and all grants together at most `spillover.max_memory_bytes`.
 *
 * A write is held to the share its tenant's gate has. A share rises in two steps, each of which may be the last one: the pool
 * grants, the gate is told. It is lowered in four: the pool notes an epoch, the gate is told, sessions go, the pool takes back; a
 * grant in between has a newer epoch and calls the rest off. So the pool never has less than the gate, whoever is late.
 */
import type { SpilloverConfig } from '../../../config/config.ts';
import { parseTenantId, type TenantId } from '../../../ids.ts';
import type { Keys } from '../../../keys.ts';
import {
  beginSessionLowering,
  grantSessionMemory,
  setSessionShare,
  settleSessionMemory,
} from '../../../redis/bindings/session-budget-scripts.ts';
import type { RedisDriver } from '../../../redis/driver.ts';
import { asList, asText, asTextOrNull, pairsOf } from '../../../redis/reply-shape.ts';
import { runScript } from '../../../redis/script.ts';
import { createReconcile } from './reconcile-shares.ts';
import { releaseShare } from './release-share.ts';
import { POOL_TOTAL, type SessionGrant, type SessionShare, unpackGrant } from './share-format.ts';
import { aheadBytes, chunkBytes, roomyBytes } from './share-sizes.ts';

/** What does not fit, as the script that refused it says; bytes. */
export interface GrowRequest extends SessionShare {
  readonly hotBytes: number;
  readonly neededBytes: number;
  /** Beyond that, as far as there is plenty, so that not every write asks. Absent: half as much again, a chunk at most. */
  readonly aheadBytes?: number;
  /** Of hot sessions the tenant may have at all; null: as many as there is memory for. */
  readonly maxBytes: number | null;
}

export interface GrowOutcome {
  /** It fits now: to be tried again. Else the tenant has to give up other sessions first. */
  readonly raised: boolean;
  readonly shareBytes: number;
  /** To all tenants, bytes. */
  readonly totalGranted: number;
  /** Memory is short: it is time to move sessions to S3. */
  readonly pressed: boolean;
}

export interface LowerOptions {
  /**
   * Moves sessions of the tenant to S3 until it has at most so many hot bytes; asked at least once, also when it has no more.
   * @returns its hot bytes then; more than asked for when no more could be moved.
   */
  readonly spillTo: (bytes: number) => Promise<number>;
  readonly signal?: AbortSignal | undefined;
}

export interface HolderPage {
  readonly holders: readonly ({ readonly tenantId: TenantId } & SessionGrant)[];
  /** For the next page; null: this was the last one. */
  readonly next: string | null;
}

export type SessionBudget = ReturnType<typeof createSessionBudget>;

/** Of one tenant, in all. */
interface Want {
  readonly bytes: number;
  readonly aheadBytes: number;
}

/** Fields a page asks for; Redis gives about as many. */
const PAGE = 100;

/** Every method throws as RedisDriver.send; what has begun then is safe, and the next call of any goes on from there. */
export function createSessionBudget(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly config: Pick<SpilloverConfig, 'maxMemoryBytes' | 'thresholdRatio'>;
}) {
  const { redis, keys, config } = deps;
  const pool = { budget: keys.sessionBudget() };

  const grant = (tenant: TenantId, want: Want, { shareBytes, epoch }: SessionShare, signal?: AbortSignal) => {
    const max = config.maxMemoryBytes;
    const args = { tenant, want: want.bytes, ahead: want.aheadBytes, share: shareBytes, epoch, max };
    return runScript(redis, grantSessionMemory, { keys: pool, args, kind: 'write', signal });
  };

  const setShare = (tenant: TenantId, { shareBytes, epoch }: SessionShare, signal?: AbortSignal) => {
    const args = { share: shareBytes, epoch };
    return runScript(redis, setSessionShare, { keys: { gate: keys.gate(tenant) }, args, kind: 'write', signal });
  };

  return {
    /** Asks the pool for room for a write, and some more. 2 round trips. */
    async grow(tenant: TenantId, request: GrowRequest, signal?: AbortSignal): Promise<GrowOutcome> {
      const { hotBytes, neededBytes, maxBytes } = request;
      const max = config.maxMemoryBytes;
      const most = Math.min(max, maxBytes ?? max);
      const bytes = Math.min(hotBytes + neededBytes, most);
      const ahead = request.aheadBytes ?? aheadBytes(bytes, chunkBytes(max));
      const want = { bytes, aheadBytes: Math.min(ahead, most - bytes) };
      const { grantedBytes, epoch, totalBytes } = await grant(tenant, want, request, signal);
      const now = await setShare(tenant, { shareBytes: grantedBytes, epoch }, signal);
      const raised = now.state !== 'gone' && now.hotBytes + neededBytes <= now.shareBytes;
      const pressed = !raised || totalBytes > config.thresholdRatio * max;
      return { raised, shareBytes: now.shareBytes, totalGranted: totalBytes, pressed };
    },

    /**
     * Lowers a tenant's share, so that others may be granted the rest. What it has above that is moved first: until then its
     * writes do not wait, and do not call this off. 3 round trips and `spillTo`.
     * @returns bytes that are free now; 0: it was granted no more, was granted anew meanwhile, or could not be moved.
     */
    async lower(tenant: TenantId, targetBytes: number, { spillTo, signal }: LowerOptions): Promise<number> {
      await spillTo(roomyBytes(targetBytes, chunkBytes(config.maxMemoryBytes)));
      const target = { tenant, target: targetBytes };
      const begun = await runScript(redis, beginSessionLowering, { keys: pool, args: target, kind: 'write', signal });
      if (begun === null) return 0;
      const { epoch, grantedBytes } = begun;
      const now = await setShare(tenant, { shareBytes: targetBytes, epoch }, signal);
      if (now.state === 'gone') return (await releaseShare(deps, tenant, signal)).freedBytes;
      if (now.state === 'newer') return 0;
      if (now.hotBytes > targetBytes && (await spillTo(targetBytes)) > targetBytes) return 0;
      const args = { ...target, epoch };
      const settled = await runScript(redis, settleSessionMemory, { keys: pool, args, kind: 'write', signal });
      return settled ? grantedBytes - targetBytes : 0;
    },

    /** A page of the tenants in the pool, those granted nothing now among them. One may come twice when the pool changes. */
    async holders(cursor: string | null, signal?: AbortSignal): Promise<HolderPage> {
      const command = ['HSCAN', pool.budget, cursor ?? '0', 'COUNT', PAGE] as const;
      const [next, fields] = asList(await redis.send(command, { kind: 'read', signal }), 2);
      const holders = pairsOf(asList(fields).map(asText)).flatMap(([name, text]) => {
        const tenantId = parseTenantId(name);
        return tenantId === null ? [] : [{ tenantId, ...unpackGrant(text) }];
      });
      return { holders, next: String(next) === '0' ? null : String(next) };
    },

    /** Bytes granted to all tenants together. */
    async totalGranted(signal?: AbortSignal): Promise<number> {
      const command = ['HGET', pool.budget, POOL_TOTAL] as const;
      return Number(asTextOrNull(await redis.send(command, { kind: 'read', signal })) ?? 0);
    },

    /** Takes an erased tenant out of the pool. @returns bytes that are free now. */
    release: async (tenant: TenantId, signal?: AbortSignal): Promise<number> =>
      (await releaseShare(deps, tenant, signal)).freedBytes,

    reconcile: createReconcile({
      ...deps,
      grant: (tenant, share, signal) => grant(tenant, { bytes: 0, aheadBytes: 0 }, share, signal),
    }),
  };
}
