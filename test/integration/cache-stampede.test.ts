/** Stampedes of several processes on one entry: how often it is loaded, counted in Redis. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { newTenant, TRANSPORTS, type Transport, testApp, testEnv } from '../support/app.ts';
import { auditTenant } from '../support/audit-tenant.ts';

const HOOK = fileURLToPath(new URL('../../infra/lua-hook.ts', import.meta.url));
const PROCESS = fileURLToPath(new URL('../support/get-or-set-process.ts', import.meta.url));
const PROCESSES = 4;
const CALLERS = 1_000;
const name = { namespace: 'ns', key: 'hot' };
const quotas = { operations_per_minute: 60_000_000 };

/** What its callers were given. @throws {Error} it was killed, or failed. */
async function run(transport: Transport, args: readonly (string | number)[]): Promise<readonly string[]> {
  const env = { ...process.env, ...testEnv(transport) };
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', HOOK, PROCESS, ...args.map(String)], {
    env,
  });
  return JSON.parse(stdout);
}

describe.each(TRANSPORTS)('a stampede over %s [C7]', (transport) => {
  it('of 4 processes with 1,000 callers each loads exactly once, and serves them all', async () => {
    const app = await testApp({ transport });
    const { tenant, key } = await newTenant(app, { quotas });
    const args = [key, CALLERS, CALLERS * PROCESSES, 60_000, 'stay'];
    const given = await Promise.all(Array.from({ length: PROCESSES }, () => run(transport, args)));
    expect(new Set(given.flat())).toEqual(new Set([JSON.stringify({ loads: 1, loading: 1 })]));
    expect(await app.redis.send(['GET', `${tenant.id}:loads`], { kind: 'read' })).toBe('1');
    expect(await auditTenant(app, tenant.id)).toBe(1);
  }, 120_000);

  it('is loaded by the next one when the process that loads is killed, once the lease is over', async () => {
    const app = await testApp({ transport });
    const { tenant, caller, key } = await newTenant(app, { quotas });
    await expect(run(transport, [key, 10, 10, 1_000, 'die'])).rejects.toMatchObject({ signal: 'SIGKILL' });
    expect(await app.cache.getOrLease(caller, name, { leaseMs: 0, earlyShare: 0 })).toMatchObject({ entry: null });
    const given = await run(transport, [key, 10, 10, 1_000, 'stay']);
    expect(given).toEqual([JSON.stringify({ loads: 2, loading: 2 })]);
    expect(await auditTenant(app, tenant.id)).toBe(1);
  }, 60_000);
});
