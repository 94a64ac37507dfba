/** `npm run test:soak`: minutes of mixed work, on both transports at once, while scripts are flushed. */
import { expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { unpackCounters } from '../../lib/gate/counters.ts';
import { createKeys } from '../../lib/keys.ts';
import { newTenant, type TestTenant, testApp } from '../support/app.ts';

const MINUTES = Number(process.env.RIPTIDE_SOAK_MINUTES ?? 5);
const TENANTS = 8;
const CLIENTS = 32;
const KEYS_PER_TENANT = 200;
const keys = createKeys('riptide:v1:');

it(`keeps every counter equal to what is stored through ${MINUTES} minutes of mixed work [C1 C2 T6]`, async () => {
  const apps = [await testApp({ transport: 'tcp' }), await testApp({ transport: 'rest' })];
  const tenants = await Promise.all(Array.from({ length: TENANTS }, () => newTenant(apps[0] as App)));
  const until = Date.now() + MINUTES * 60_000;
  const flushing = flushScripts(apps[0] as App, until);

  const counts = await Promise.all(
    Array.from({ length: CLIENTS }, (_, client) => work(apps[client % 2] as App, tenants, until)),
  );
  await flushing;
  await Promise.all(tenants.map((tenant) => compare(apps[0] as App, tenant)));
  const operations = counts.reduce((sum, count) => sum + count, 0);
  console.log(`${operations} operations by ${CLIENTS} clients over ${TENANTS} tenants: 0 bytes off`);
  expect(operations).toBeGreaterThan(0);
});

/** Random operations until the time is up; each must answer as the cache promises. */
async function work(app: App, tenants: readonly TestTenant[], until: number): Promise<number> {
  let done = 0;
  for (; Date.now() < until; done++) {
    const { caller } = pick(tenants);
    const name = { namespace: 'soak', key: `k${Math.floor(Math.random() * KEYS_PER_TENANT)}` };
    const dice = Math.random();
    if (dice < 0.5) {
      const entry = await app.cache.get(caller, name);
      if (entry !== null && 'value' in entry) expect(entry.value.length).toBe(Number(entry.meta.version));
    } else if (dice < 0.9) {
      const value = Buffer.alloc(Math.floor(Math.random() * 8_000), name.key);
      const meta = { content_type: 'text/plain', version: String(value.length) };
      await app.cache.set(caller, name, { value, meta, ttlMs: pick([null, 1, 50, 60_000]) });
    } else if (dice < 0.999) await app.cache.delete(caller, name);
    else await app.cleanUp.run();
  }
  return done;
}

/** The tenant's counters beside a walk over all it has. */
async function compare(app: App, { tenant }: TestTenant): Promise<void> {
  const index = (await app.redis.send(['ZRANGE', keys.index(tenant.id, 1), 0, -1], { kind: 'read' })) as string[];
  const names = index.filter((member) => member.startsWith('k\0')).map((member) => member.split('\0')[3] as string);
  let bytes = 0;
  for (const key of names) {
    const stored = keys.cacheEntry(tenant.id, 1, { namespace: 'soak', key });
    const length = (await app.redis.send(['STRLEN', stored], { kind: 'read' })) as number;
    bytes += stored.length + length + 200;
  }
  const text = (await app.redis.send(['HGET', keys.gate(tenant.id), 'm'], { kind: 'read' })) as string;
  expect(unpackCounters(text)).toMatchObject({ memoryBytes: bytes, entries: names.length });
}

/** Makes the server forget its scripts, again and again: no caller may see it. */
async function flushScripts(app: App, until: number): Promise<void> {
  while (Date.now() < until) {
    await app.redis.send(['SCRIPT', 'FLUSH'], { kind: 'write' });
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

const pick = <T>(items: readonly T[]): T => items[Math.floor(Math.random() * items.length)] as T;
