/** What each call of a session asks of Redis: calls inside its script, and time beside the hash of a hand-written program. */
import { parseApiKey } from '../../../lib/gate/caller.ts';
import { countCommands, scriptCallsOf } from '../command-stats.ts';
import { createTenant } from '../create-tenant.ts';
import { measureLatency, type Rounds, type Side } from '../rounds.ts';
import { atMost, type Reach, type Row, rowOf } from '../row.ts';
import { rawFieldsOf, SHAPE, sessionOf } from '../session-shape.ts';
import type { Bench } from '../setup.ts';
import { median, ratiosOf } from '../statistics.ts';
import type { Suite } from '../suite.ts';

const CALLS = 200;
const [READ, WRITE] = [atMost(4), atMost(6)];
const BESIDE_RAW = atMost(1.25);
/** Nor is it, mostly: it moves by a hundredth of the idle time. */
const NOT_DUE = 'recency not due';
const RAW_KEY = 'bench:raw:session';

export const sessionCalls: Suite = {
  name: 'session-calls',
  async run(bench) {
    const { sessions } = bench.app.tcp;
    const caller = parseApiKey((await createTenant(bench.app.tcp)).apiKey);
    const session = sessionOf(1);
    const { id } = await sessions.create(caller, session);
    await bench.raw.tcp.hset(RAW_KEY, rawFieldsOf(session));
    const calls = { caller, id };
    const rows: Row[] = [];
    for (const { call, ...facts } of countedCalls(bench, calls)) rows.push(await countRow(bench, facts, call));
    return [...rows, ...(await latencyRows(bench, calls))];
  },
};

interface SessionOf {
  readonly caller: Bench['caller'];
  readonly id: string;
}

/** Texts of one key, by turns of one length or of two: a change that makes the session larger asks for its share, too. */
const textsOf = (lengths: readonly number[]) => {
  let turn = 0;
  return () => {
    const [letter, length = 1] = [turn % 2 === 0 ? 'a' : 'b', lengths[turn++ % lengths.length]];
    return JSON.stringify(letter.repeat(length));
  };
};

function countedCalls({ app }: Bench, { caller, id }: SessionOf) {
  const { sessions } = app.tcp;
  const same = textsOf([64]);
  let length = 64;
  const growing = () => JSON.stringify('a'.repeat(++length));
  const set = (text: () => string) => () => sessions.update(caller, id, { set: new Map([['preferences', text()]]) });
  const created: string[] = [];
  const create = async () => created.push((await sessions.create(caller, sessionOf(created.length))).id);
  return [
    { id: 'get', what: `Get of a session, ${NOT_DUE}`, reach: READ, call: () => sessions.get(caller, id) },
    { id: 'update', what: `Update of one key, as long as it was, ${NOT_DUE}`, reach: WRITE, call: set(same) },
    { id: 'update-growing', what: `Update of one key that grows, ${NOT_DUE}`, reach: WRITE, call: set(growing) },
    { id: 'touch', what: `Touch of a session, ${NOT_DUE}`, call: () => sessions.touch(caller, id) },
    { id: 'create', what: 'Create of a session, its share of the memory growing', call: create },
    { id: 'terminate', what: 'Terminate of a session', call: () => sessions.terminate(caller, created.pop() ?? '') },
  ];
}

type Facts = Pick<Row, 'id' | 'what'> & { readonly reach?: Reach };

async function countRow({ raw }: Bench, facts: Facts, call: Side): Promise<Row> {
  // Redis learns the script.
  await call();
  const { scripts, inner, names } = scriptCallsOf(await countCommands(raw.tcp, () => repeat(call)));
  const trips = scripts.calls / CALLS;
  const own = { id: `session-calls-${facts.id}`, what: `${facts.what}: calls inside the script` };
  const detail = `${names.join(', ')}; ${trips} round trips, ${(scripts.us / scripts.calls).toFixed(1)} µs; ${SHAPE}, 1 KB`;
  return rowOf({ ...facts, ...own, layer: 'lib', unit: 'calls', detail }, [inner / CALLS]);
}

async function repeat(call: Side): Promise<void> {
  for (let done = 0; done < CALLS; done++) await call();
}

/** Over REST, as on Lambda, each beside the one command that keeps no promise; over TCP to compare. */
async function latencyRows(bench: Bench, calls: SessionOf): Promise<readonly Row[]> {
  const rest = await measureLatency(sidesOf(bench, 'rest', calls));
  const tcp = await measureLatency(sidesOf(bench, 'tcp', calls), { rounds: 9 });
  const row = (p50: typeof rest, transport: Transport, kind: 'read' | 'update') => {
    const [ours, raw] = kind === 'read' ? [p50.get, p50.hgetall] : [p50.update, p50.hset];
    return ratioRow({ ours, raw }, { transport, kind });
  };
  return [row(rest, 'rest', 'read'), row(rest, 'rest', 'update'), row(tcp, 'tcp', 'read'), row(tcp, 'tcp', 'update')];
}

type Transport = 'rest' | 'tcp';
const CLIENTS = { rest: '@upstash/redis', tcp: 'ioredis' } as const;

function sidesOf({ app, raw }: Bench, transport: Transport, { caller, id }: SessionOf) {
  const { sessions } = app[transport];
  const [ours, theirs] = [textsOf([80, 96]), textsOf([80, 96])];
  return {
    get: () => sessions.get(caller, id),
    hgetall: (): Promise<unknown> => raw[transport].hgetall(RAW_KEY),
    update: () => sessions.update(caller, id, { set: new Map([['preferences', ours()]]) }),
    hset: (): Promise<unknown> => raw[transport].hset(RAW_KEY, { preferences: theirs() }),
  };
}

function ratioRow(
  { ours, raw }: Rounds<'ours' | 'raw'>,
  { transport, kind }: { readonly transport: Transport; readonly kind: 'read' | 'update' },
): Row {
  const [call, command] = kind === 'read' ? ['Read of a session', 'HGETALL'] : ['Update of one key', 'HSET'];
  return rowOf(
    {
      id: `session-${kind}-${transport}-p50`,
      layer: 'lib',
      what: `${call} over ${transport.toUpperCase()} vs raw ${CLIENTS[transport]} ${command} of the same, p50`,
      ...(transport === 'rest' ? { reach: BESIDE_RAW } : {}),
      unit: '×',
      detail: `${median(ours).toFixed(0)} vs ${median(raw).toFixed(0)} µs; ${SHAPE}, 1 KB`,
    },
    ratiosOf(ours, raw),
  );
}
