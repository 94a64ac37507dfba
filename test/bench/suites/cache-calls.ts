/** What each call of the cache asks of Redis: calls inside its script, where the tenant is unencrypted. */
import { parseApiKey } from '../../../lib/gate/caller.ts';
import { countCommands, scriptCallsOf } from '../command-stats.ts';
import { createTenant } from '../create-tenant.ts';
import type { Side } from '../rounds.ts';
import { atMost, type Reach, type Row, rowOf } from '../row.ts';
import type { Bench } from '../setup.ts';
import type { Suite } from '../suite.ts';
import { jsonOfBytes } from '../values.ts';

const CALLS = 200;
const [READ, WRITE] = [atMost(4), atMost(7)];
/** One more while something is invalidated and not reclaimed. */
const [READ_THEN, WRITE_THEN] = [atMost(5), atMost(8)];
const BATCH = Array.from({ length: 100 }, (_, i) => `bench/calls-${i}`);
const ENTRY = { value: jsonOfBytes(1024), meta: { content_type: 'application/json' }, ttlMs: 3_600_000 };

export const cacheCalls: Suite = {
  name: 'cache-calls',
  async run(bench) {
    const rows: Row[] = [];
    await bench.app.tcp.cache.setMany(
      bench.caller,
      'products',
      BATCH.map((key) => ({ key, ...ENTRY })),
    );
    const calls = [...callsOf(bench), ...(await callsWhileReclaiming(bench))];
    for (const { call, ...facts } of calls) rows.push(await countRow(bench, facts, call));
    return rows;
  },
};

function callsOf({ app, caller, entry }: Bench) {
  const { cache } = app.tcp;
  const run = Date.now();
  const named = (key: string) => ({ namespace: 'products', key });
  // What is created first is removed later.
  const turns = () => {
    let turn = 0;
    return () => named(`bench/calls-${run}-${turn++}`);
  };
  const [created, removed] = [turns(), turns()];
  return [
    { id: 'hit', what: 'Get, hit', reach: READ, call: () => cache.get(caller, entry) },
    { id: 'miss', what: 'Get, miss', reach: READ, call: () => cache.get(caller, named('not/there')) },
    { id: 'create', what: 'Set of a new entry', reach: WRITE, call: () => cache.set(caller, created(), ENTRY) },
    { id: 'overwrite', what: 'Set again', reach: WRITE, call: () => cache.set(caller, named('bench/calls'), ENTRY) },
    { id: 'delete', what: 'Delete', reach: WRITE, call: () => cache.delete(caller, removed()) },
    { id: 'batch', what: 'Batch get of 100', call: () => cache.getMany(caller, 'products', BATCH) },
  ];
}

/** Of a tenant of its own, of which a tag is invalidated: its entry has another one. */
async function callsWhileReclaiming({ app }: Bench) {
  const { cache, invalidation } = app.tcp;
  const caller = parseApiKey((await createTenant(app.tcp)).apiKey);
  const name = { namespace: 'products', key: 'bench/calls' };
  const entry = { ...ENTRY, meta: { ...ENTRY.meta, tags: ['blue'] } };
  const set = () => cache.set(caller, name, entry);
  await set();
  await invalidation.invalidate(caller, { selector: { by: 'tags', tags: ['red'] }, dry: false });
  const then = 'while a tag is reclaimed';
  return [
    { id: 'hit-reclaiming', what: `Get, hit, ${then}`, reach: READ_THEN, call: () => cache.get(caller, name) },
    { id: 'overwrite-reclaiming', what: `Set again, ${then}`, reach: WRITE_THEN, call: set },
  ];
}

type Facts = Pick<Row, 'id' | 'what'> & { readonly reach?: Reach };

async function countRow({ raw }: Bench, facts: Facts, call: Side): Promise<Row> {
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
