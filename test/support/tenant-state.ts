/** All that Redis holds of a tenant, to see that something changed nothing. */
import type { App } from '../../lib/app.ts';
import { unpackLimits } from '../../lib/gate/gate-fields.ts';
import type { TenantId } from '../../lib/ids.ts';
import { createKeys } from '../../lib/keys.ts';

export interface TenantState {
  /** Field -> value: limits, counters, API keys. */
  readonly gate: Readonly<Record<string, string>>;
  readonly record: unknown;
  /** Members of the indexes: every record, and when it expires. */
  readonly index: unknown;
  /** Those of them that are of what no generation takes away. */
  readonly keptIndex: unknown;
}

export const keysOf = ({ config: { cache } }: Pick<App, 'config'>) =>
  createKeys(`${cache.keyPrefix}:${cache.version}:`);

/** The generation of its data that serves; of a tenant that is not there, the first. */
export async function generationOf(app: Pick<App, 'config' | 'redis'>, id: TenantId): Promise<number> {
  const limits = await app.redis.send(['HGET', keysOf(app).gate(id), 'h'], { kind: 'read' });
  return typeof limits === 'string' ? unpackLimits(limits).generation : 1;
}

/** In the generation that serves. */
export async function tenantState(app: Pick<App, 'config' | 'redis'>, id: TenantId): Promise<TenantState> {
  const keys = keysOf(app);
  const read = { kind: 'read' } as const;
  const members = async (index: string) => (await app.redis.send(['ZRANGE', index, 0, -1], read)) as readonly string[];
  const [own, kept] = [await members(keys.index(id, await generationOf(app, id))), await members(keys.keptIndex(id))];
  const flat = (await app.redis.send(['HGETALL', keys.gate(id)], read)) as readonly string[];
  return {
    gate: Object.fromEntries(flat.flatMap((field, i) => (i % 2 === 0 ? [[field, flat[i + 1] as string]] : []))),
    record: await app.redis.send(['GET', keys.record(id)], read),
    index: [...own, ...kept],
    keptIndex: kept,
  };
}

/** How many tenants exist or are being created under the app's key prefix. */
export async function countTenants(app: Pick<App, 'config' | 'redis'>): Promise<number> {
  const keys = keysOf(app);
  const commands = [
    ['ZCARD', keys.tenants()],
    ['HLEN', keys.tenantReservations()],
  ] as const;
  const [made, begun] = await app.redis.sendAll(commands, { kind: 'read' });
  return Number(made) + Number(begun);
}

/** Audit entries of a tenant that reached the deployment's log, sealed or not: their actions, in order. */
export async function auditedActions(
  app: Pick<App, 'config' | 'redis'>,
  id: TenantId | null,
): Promise<readonly string[]> {
  const keys = keysOf(app);
  const commands = [
    ['ZRANGE', keys.auditLog(), 0, -1],
    ['LRANGE', keys.auditPending(), 0, -1],
  ] as const;
  const lines = (await app.redis.sendAll(commands, { kind: 'read' })).flat() as readonly string[];
  const entries = lines.map(
    (line) => JSON.parse(line) as { readonly action: string; readonly tenant_id: string | null },
  );
  return entries.filter(({ tenant_id }) => tenant_id === id).map(({ action }) => action);
}

/** Audit entries that did not reach it yet, one a line; null: none. */
export async function outboxOf(app: Pick<App, 'config' | 'redis'>, id: TenantId): Promise<string | null> {
  return (await app.redis.send(['HGET', keysOf(app).gate(id), 'o'], { kind: 'read' })) as string | null;
}
