/** Tenants whose hot sessions are a number: what the session memory grants them, beside what they have. */
import type { App } from '../../lib/app.ts';
import { packLimits } from '../../lib/gate/gate-fields.ts';
import { newTenantId, newUlid, type TenantId } from '../../lib/ids.ts';
import type { RedisDriver, RedisReply } from '../../lib/redis/driver.ts';
import { createSessionBudget } from '../../lib/sessions/spillover/budget/session-budget.ts';
import { POOL_TOTAL, unpackGrant, unpackShare } from '../../lib/sessions/spillover/budget/share-format.ts';
import { keysOf } from './tenant-state.ts';

const READ = { kind: 'read' } as const;
const WRITE = { kind: 'write' } as const;

const QUOTAS = {
  memory_bytes: 1e9,
  storage_bytes: 1e9,
  operations_per_minute: 1e6,
  data_transfer_bytes: 1e9,
};

/** Hot bytes are the sixth number from the end. */
const COUNTERS = `m5${',0'.repeat(31)}`;

/** What every script that writes a session does about the memory: refuse what is above the share, and change nothing. */
const ADD_HOT = `
local m, b = unpack(redis.call('HMGET', KEYS[1], 'm', 'b'))
local share, epoch = string.match(b or 'b1,0,0', '^b1,(%d+),(%d+)$')
local before, hot, after = string.match(m, '^(m5,.*,)(%d+)(,%d+,%d+,%d+,%d+,%d+)$')
if hot + ARGV[1] > tonumber(share) then return { 0, tonumber(hot), tonumber(share), tonumber(epoch) } end
redis.call('HSET', KEYS[1], 'm', before .. string.format('%d', hot + ARGV[1]) .. after)
return { 1, hot + ARGV[1], tonumber(share), tonumber(epoch) }`;

const SPILL = `
local before, hot, after = string.match(redis.call('HGET', KEYS[1], 'm'), '^(m5,.*,)(%d+)(,%d+,%d+,%d+,%d+,%d+)$')
hot = math.min(hot, ARGV[1])
redis.call('HSET', KEYS[1], 'm', before .. string.format('%d', hot) .. after)
return hot`;

/** Of one server: all at one moment. */
const LOOK = `
local all = { redis.call('HGETALL', KEYS[1]) }
for i = 2, #KEYS do all[i] = redis.call('HMGET', KEYS[i], 'm', 'b') end
return all`;

export interface MemoryOfTenant {
  readonly hotBytes: number;
  readonly shareBytes: number;
  readonly grantedBytes: number;
}

export interface MemoryOfAll {
  readonly tenants: readonly MemoryOfTenant[];
  /** As the pool sums it up, and as it is. */
  readonly totalBytes: number;
  readonly sumBytes: number;
}

/** The pool of an app. */
export const sessionBudgetOn = (app: Pick<App, 'config' | 'redis'>) =>
  createSessionBudget({ redis: app.redis, keys: keysOf(app), config: app.config.spillover });

/** Of a tenant that asks the pool for the first time. */
export const firstNeed = (neededBytes: number) =>
  ({ hotBytes: 0, shareBytes: 0, epoch: 0, neededBytes, maxBytes: null }) as const;

const run = (redis: RedisDriver, script: string, keys: readonly string[], ...args: readonly number[]) =>
  redis.send(['EVAL', script, keys.length, ...keys, ...args], WRITE) as Promise<RedisReply>;

/** `redis` of what is done, which may fail; looking never does. */
export function sessionMemory(app: Pick<App, 'config' | 'redis'>) {
  const keys = keysOf(app);
  return {
    async newTenant(): Promise<TenantId> {
      const id = newTenantId(newUlid(Date.now()));
      const limits = packLimits({
        status: 'active',
        contextVersion: 1,
        generation: 1,
        quotas: QUOTAS,
      });
      await app.redis.send(['HSET', keys.gate(id), 'h', limits, 'm', COUNTERS], WRITE);
      return id;
    },

    /** A session of so many bytes. `written`: it fitted; else nothing was changed. */
    async addHot(id: TenantId, bytes: number, redis: RedisDriver = app.redis) {
      const reply = (await run(redis, ADD_HOT, [keys.gate(id)], bytes)) as readonly [number, number, number, number];
      const [written, hotBytes, shareBytes, epoch] = reply;
      return { written: written === 1, hotBytes, shareBytes, epoch };
    },

    /** Leaves the tenant so many hot bytes at most. @returns what it has then. */
    spillTo: async (id: TenantId, bytes: number, redis: RedisDriver = app.redis): Promise<number> =>
      Number(await run(redis, SPILL, [keys.gate(id)], bytes)),

    async look(ids: readonly TenantId[]): Promise<MemoryOfAll> {
      const all = await run(app.redis, LOOK, [keys.sessionBudget(), ...ids.map((id) => keys.gate(id))]);
      const [pool, ...gates] = all as unknown as [readonly string[], ...(readonly (string | null)[])[]];
      const fields = new Map<string, string>();
      for (let i = 0; i < pool.length; i += 2) fields.set(pool[i] as string, pool[i + 1] as string);
      const grants = [...fields].filter(([name]) => name !== POOL_TOTAL).map(([, text]) => unpackGrant(text));
      return {
        tenants: ids.map((id, i) => ({
          hotBytes: Number(/(\d+)(?:,\d+){5}$/.exec(gates[i]?.[0] ?? '0,0,0,0,0,0')?.[1]),
          shareBytes: unpackShare(gates[i]?.[1] ?? null).shareBytes,
          grantedBytes: unpackGrant(fields.get(id) ?? null).grantedBytes,
        })),
        totalBytes: Number(fields.get(POOL_TOTAL) ?? 0),
        sumBytes: grants.reduce((sum, { grantedBytes }) => sum + grantedBytes, 0),
      };
    },

    losePool: () => app.redis.send(['DEL', keys.sessionBudget()], WRITE),
    removeGate: (id: TenantId) => app.redis.send(['DEL', keys.gate(id)], WRITE),
    readShare: async (id: TenantId) =>
      unpackShare((await app.redis.send(['HGET', keys.gate(id), 'b'], READ)) as string | null),
  };
}
