/**
 * CPU of the cache-read handler and of the bare client call, in a process that does nothing else. Arguments: namespace,
 * key, API key, raw key. Says `{ours, raw}`: µs of CPU per call, one figure a round.
 */
import '../../../infra/lua-hook.ts';
import { createGetEvent } from '../get-event.ts';

const ROUNDS = 9;
const CALLS_PER_ROUND = 300;

const { handler } = await import('../../../functions/cache/get-entry.ts');
const { getApp } = await import('../../../lib/app.ts');
const { createRawRest, createRawTcp } = await import('../raw-clients.ts');
const { createLambdaContext } = await import('../../../infra/local/host/lambda-context.ts');

const [namespace = '', key = '', apiKey = '', rawKey = ''] = process.argv.slice(2);
const { config } = await getApp();
const event = createGetEvent({ namespace, key }, apiKey);
const facts = { name: 'cacheGetEntry', memoryMb: 512, timeoutMs: 29_000 };

const ours = async () => {
  // A new event for each call, as from Lambda: what is kept by event must not be found again.
  const reply = await handler({ ...event }, createLambdaContext(facts, 'bench') as never);
  if (reply.statusCode !== 200) throw new Error(`The handler answered ${reply.statusCode}: ${reply.body}`);
};
const raw = config.redis.transport === 'rest' ? createRawRest(config.redis) : createRawTcp(config.redis);
const theirs = () => raw.get(rawKey);

async function cpuPerCall(call: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  for (let done = 0; done < CALLS_PER_ROUND; done++) await call();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / CALLS_PER_ROUND;
}

const figures = { ours: [] as number[], raw: [] as number[] };
for (let round = -3; round < ROUNDS; round++) {
  const oursUs = await cpuPerCall(ours);
  const rawUs = await cpuPerCall(theirs);
  if (round < 0) continue;
  figures.ours.push(oursUs);
  figures.raw.push(rawUs);
}
console.log(JSON.stringify(figures));
process.exit(0);
