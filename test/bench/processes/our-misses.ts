/**
 * Callers of ours that miss one entry, as soon as all processes are ready; says how often this one loaded it, and the most loads
 * of all processes that ran at the same time. Its environment is the service's own. Arguments: API key, key, callers, processes.
 */
import '../../../infra/lua-hook.ts';
import { setTimeout as delay } from 'node:timers/promises';

const { startApp } = await import('../start-app.ts');
const { parseApiKey } = await import('../../../lib/gate/caller.ts');

/** As in peer-misses.ts. */
const LOAD_MS = 500;

const [apiKey = '', key = '', callers, processes] = process.argv.slice(2);
await using parts = new AsyncDisposableStack();
const { cache, redis } = await startApp(process.env as Record<string, string>, { parts });
const caller = parseApiKey(apiKey);
const add = async (name: string, by: number) =>
  Number(await redis.send(['INCRBY', `bench:${name}:${key}`, by], { kind: 'write' }));

const getOrSet = (name: string, load: () => Promise<{ readonly value: Buffer }>) =>
  cache.getOrSet(caller, { namespace: 'products', key: name }, load, { ttlMs: 3_600_000 });
const value = Buffer.from('{"loaded":true}');
// The connection stands, and the code has run once.
await getOrSet(`bench/warm-${process.pid}`, async () => ({ value }));
await add('ready', 1);
while ((await add('ready', 0)) < Number(processes)) await delay(2);

let loads = 0;
let together = 0;
const load = async () => {
  loads++;
  together = Math.max(together, await add('loading', 1));
  await delay(LOAD_MS);
  await add('loading', -1);
  return { value };
};
await Promise.all(Array.from({ length: Number(callers) }, () => getOrSet(key, load)));
console.log(JSON.stringify({ loads, together }));
