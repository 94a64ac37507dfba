/** A process killed between any two steps of creating a tenant: repair ends it, or the same operation does. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { newTenantId, newUlid } from '../../lib/ids.ts';
import { newTenantRequest, testApp, testEnv } from '../support/app.ts';
import { countTenants, keysOf, tenantState } from '../support/tenant-state.ts';

const HOOK = fileURLToPath(new URL('../../infra/lua-hook.ts', import.meta.url));
const PROCESS = fileURLToPath(new URL('../support/create-tenant-process.ts', import.meta.url));

/** The place taken, the record written; and what repair makes of it. */
const KILLS = [
  { name: 'reserve-tenant', phase: 'before', places: 0, written: false, repaired: { finished: 0, released: 0 } },
  { name: 'reserve-tenant', phase: 'after', places: 1, written: false, repaired: { finished: 0, released: 1 } },
  { name: 'create-tenant', phase: 'after', places: 1, written: true, repaired: { finished: 1, released: 0 } },
  { name: 'confirm-tenant', phase: 'after', places: 1, written: true, repaired: { finished: 0, released: 0 } },
] as const;

/** Runs the process until SIGKILL ends it. */
async function runKilled(env: Readonly<Record<string, string>>, args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, ['--import', HOOK, PROCESS, ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code, signal] = await once(child, 'exit');
  expect({ code, signal }).toEqual({ code: null, signal: 'SIGKILL' });
}

describe('a process killed while it creates a tenant [T1]', () => {
  it.each(KILLS)('$phase $name: leaves what repair ends', async ({ name, phase, places, written, repaired }) => {
    const ulid = newUlid(Date.now());
    const id = newTenantId(ulid);
    const prefix = { PERSISTENCE_CACHE_KEY_PREFIX: `k-${ulid}` };
    await runKilled(testEnv('tcp', prefix), [name, phase, ulid]);
    const app = await testApp({ env: prefix });
    expect(await countTenants(app)).toBe(places);
    expect((await tenantState(app, id)).record !== null).toBe(written);

    expect(await app.tenants.repair()).toEqual({ finished: 0, released: 0 });
    const reservations = keysOf(app).tenantReservations();
    if ((await app.redis.send(['HEXISTS', reservations, id], { kind: 'read' })) === 1)
      await app.redis.send(['HSET', reservations, id, Date.now() - 130_000], { kind: 'write' });
    expect(await app.tenants.repair()).toEqual(repaired);
    expect(await countTenants(app)).toBe(written ? 1 : 0);
    expect(await app.tenants.listIds({ limit: 10 })).toEqual(written ? [id] : []);

    const again = await app.tenants.create(newTenantRequest(), { ulid });
    expect(again.id).toBe(id);
    expect(await countTenants(app)).toBe(1);
    expect(Object.keys((await tenantState(app, id)).gate).sort()).toEqual(['h', 'm', 'x']);
  });
});
