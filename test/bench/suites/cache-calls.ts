/** What each call of the cache asks of Redis: calls inside its script, where the tenant is unencrypted. */
import { countCommands, scriptCallsOf } from '../command-stats.ts';
import type { Side } from '../rounds.ts';
import { atMost, type Row, rowOf } from '../row.ts';
import type { Bench } from '../setup.ts';
import type { Suite } from '../suite.ts';
import { jsonOfBytes } from '../values.ts';

const CALLS = 200;
const [READ, WRITE] = [atMost(4), atMost(7)];

export const cacheCalls: Suite = {
  name: 'cache-calls',
  async run(bench) {
    const rows: Row[] = [];
    for (const { call, ...facts } of callsOf(bench)) rows.push(await countRow(bench, facts, call));
    return rows;
  },
};

function callsOf({ app, caller, entry }: Bench) {
  const { cache } = app.tcp;
  const run = Date.now();
  const named = (key: string) => ({ namespace: 'products', key });
  const value = { value: jsonOfBytes(1024), meta: { content_type: 'application/json' }, ttlMs: 3_600_000 };
  // What is created first is removed later.
  const turns = () => {
    let turn = 0;
    return () => named(`bench/calls-${run}-${turn++}`);
  };
  const [created, removed] = [turns(), turns()];
  return [
    { id: 'hit', what: 'Get, hit', reach: READ, call: () => cache.get(caller, entry) },
    { id: 'miss', what: 'Get, miss', reach: READ, call: () => cache.get(caller, named('not/there')) },
    { id: 'create', what: 'Set of a new entry', reach: WRITE, call: () => cache.set(caller, created(), value) },
    { id: 'overwrite', what: 'Set again', reach: WRITE, call: () => cache.set(caller, named('bench/calls'), value) },
    { id: 'delete', what: 'Delete', reach: WRITE, call: () => cache.delete(caller, removed()) },
  ];
}

async function countRow({ raw }: Bench, facts: Pick<Row, 'id' | 'what' | 'reach'>, call: Side): Promise<Row> {
  // Redis learns the script.
  await call();
  const { scripts, inner, names } = scriptCallsOf(await countCommands(raw.tcp, () => repeat(call)));
  if (scripts.calls !== CALLS) throw new Error(`${scripts.calls} scripts ran for ${CALLS} calls`);
  const own = { id: `cache-calls-${facts.id}`, what: `${facts.what}, 1 KB: calls inside the script` };
  const time = (scripts.us / scripts.calls).toFixed(1);
  return rowOf({ ...facts, ...own, layer: 'lib', unit: 'calls', detail: `${names.join(', ')}; ${time} µs` }, [
    inner / CALLS,
  ]);
}

async function repeat(call: Side): Promise<void> {
  for (let done = 0; done < CALLS; done++) await call();
}
