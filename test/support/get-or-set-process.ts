/**
 * A process whose callers all miss one entry at once: `node --import ./infra/lua-hook.ts <this file> <API key> <callers>
 * <all callers of all processes> <lease ms> <stay|die>`. Its environment is the service's own. Each load adds 1 to the key `<tenant>:loads`
 * of Redis; it ends when every caller of every process has missed, or kills the process. Says what the callers were given.
 */
import { buildApp } from '../../lib/app.ts';
import { loadConfig } from '../../lib/config/load-config.ts';
import { parseApiKey } from '../../lib/gate/caller.ts';
import { gateState } from './gate-state.ts';
import { pollUntil } from './poll-until.ts';

const [key, callers, all, leaseMs, how] = process.argv.slice(2) as [string, string, string, string, string];
const readFile = () => Promise.reject(new Error('no configuration file'));
const { config } = await loadConfig({ env: process.env, readFile });
const app = await buildApp(config);
const caller = parseApiKey(key);
const counter = (name: string) => `${caller.tenantId}:${name}`;
const add = async (name: string, by: number) =>
  Number(await app.redis.send(['INCRBY', counter(name), by], { kind: 'write' }));

const load = async () => {
  const loads = await add('loads', 1);
  const loading = await add('loading', 1);
  if (how === 'die') process.kill(process.pid, 'SIGKILL');
  await pollUntil(async () => (await gateState(app, caller.tenantId).meter()).misses >= BigInt(all), 60_000);
  await add('loading', -1);
  return { value: Buffer.from(JSON.stringify({ loads, loading })), ttlMs: 60_000 };
};
const call = () => app.cache.getOrSet(caller, { namespace: 'ns', key: 'hot' }, load, { leaseMs: Number(leaseMs) });
const given = await Promise.all(Array.from({ length: Number(callers) }, call));
console.log(JSON.stringify([...new Set(given.map((obtained) => obtained?.value.toString()))]));
await app.close();
