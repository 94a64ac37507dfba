/** A deployment of its own with a small session memory, so that passes over all its tenants meet no other test's. */
import { expect } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { unpackCounters } from '../../lib/gate/counters.ts';
import { newUlid, type TenantId } from '../../lib/ids.ts';
import { type AppOptions, testApp } from './app.ts';
import { keysOf } from './tenant-state.ts';

export const BUDGET = 2_000_000;
export const THRESHOLD = BUDGET * 0.8;

/** Apps with the same `name` share what they have. */
export const spillingApp = (
  { env = {}, ...options }: AppOptions = {},
  name = `sp-${newUlid(Date.now())}`,
): Promise<App> =>
  testApp({
    ...options,
    env: {
      PERSISTENCE_CACHE_KEY_PREFIX: name,
      PERSISTENCE_SPILLOVER_MAX_MEMORY_BYTES: String(BUDGET),
      PERSISTENCE_SPILLOVER_BATCH_SIZE: '4',
      ...env,
    },
  });

export const textOf = (bytes: number): ReadonlyMap<string, string> =>
  new Map([['text', JSON.stringify('x'.repeat(bytes))]]);

/** Sessions of so many bytes of data each, in the order they were used. */
export async function addSessions(
  app: App,
  caller: Caller,
  count: number,
  { bytes = 20_000, userId = 'ada' }: { readonly bytes?: number; readonly userId?: string } = {},
): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.push((await app.sessions.create(caller, { userId, data: textOf(bytes) })).id);
  return ids;
}

export async function hotBytesOf(app: App, id: TenantId): Promise<number> {
  const text = await app.redis.send(['HGET', keysOf(app).gate(id), 'm'], { kind: 'read' });
  return unpackCounters(text as string).hotSessionBytes;
}

export const hotBytesOfAll = async (app: App, callers: readonly Caller[]): Promise<number> =>
  (await Promise.all(callers.map(({ tenantId }) => hotBytesOf(app, tenantId)))).reduce((sum, bytes) => sum + bytes, 0);

/** Which of these are hot: without touching them. */
export async function tiersOf(
  app: App,
  { tenantId }: Caller,
  ids: readonly string[],
): Promise<readonly ('hot' | 'cold' | 'none')[]> {
  const types = await app.redis.sendAll(
    ids.map((id) => ['TYPE', keysOf(app).session(tenantId, 1, id.split('-')[1] as string)] as const),
    { kind: 'read' },
  );
  return types.map((type) => (type === 'hash' ? 'hot' : type === 'string' ? 'cold' : 'none'));
}

/** All are as they were made. */
export async function expectWhole(app: App, caller: Caller, ids: readonly string[], bytes = 20_000): Promise<void> {
  for (const id of ids) expect((await app.sessions.get(caller, id, { touch: false }))?.data).toEqual(textOf(bytes));
}
