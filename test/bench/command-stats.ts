/** What Redis itself counted: `INFO commandstats` before and after. */
import type { Redis } from 'ioredis';

export interface CommandCount {
  readonly calls: number;
  /** Microseconds on the server, in all. */
  readonly us: number;
}

/**
 * Runs `work` and counts the commands Redis ran meanwhile, by name; inner calls of scripts are counted under their own
 * names. Nothing else may use the server.
 */
export async function countCommands(
  redis: Redis,
  work: () => Promise<void>,
): Promise<ReadonlyMap<string, CommandCount>> {
  const before = parseCommandStats(await redis.info('commandstats'));
  await work();
  const after = parseCommandStats(await redis.info('commandstats'));
  const counts = new Map<string, CommandCount>();
  for (const [name, { calls, us }] of after) {
    const earlier = before.get(name) ?? { calls: 0, us: 0 };
    if (name !== 'info' && calls > earlier.calls)
      counts.set(name, { calls: calls - earlier.calls, us: us - earlier.us });
  }
  return counts;
}

/** Lines as `cmdstat_get:calls=12,usec=34,usec_per_call=2.83,…`; others are left out. */
export function parseCommandStats(text: string): ReadonlyMap<string, CommandCount> {
  const lines = text.matchAll(/^cmdstat_([^:\r\n]+):calls=(\d+),usec=(\d+)/gm);
  return new Map([...lines].map(([, name = '', calls, us]) => [name, { calls: Number(calls), us: Number(us) }]));
}

const SCRIPT = 'evalsha';

/** How often scripts were called, and what they called themselves. */
export interface ScriptCalls {
  readonly scripts: CommandCount;
  /** Calls inside the scripts. */
  readonly inner: number;
  /** What was called inside. */
  readonly names: readonly string[];
}

/** Of counts in which clients called nothing but scripts, by hash. */
export function scriptCallsOf(counts: ReadonlyMap<string, CommandCount>): ScriptCalls {
  const inside = [...counts].filter(([name]) => name !== SCRIPT);
  return {
    scripts: counts.get(SCRIPT) ?? { calls: 0, us: 0 },
    inner: inside.reduce((sum, [, { calls }]) => sum + calls, 0),
    names: inside.map(([name]) => name),
  };
}
