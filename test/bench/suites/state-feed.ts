/** What writes ask of Redis while their changes are told of to the next checkpoint. */
import { countCommands, scriptCallsOf } from '../command-stats.ts';
import type { Side } from '../rounds.ts';
import { atMost, type Reach, type Row, rowOf } from '../row.ts';
import { sessionOf } from '../session-shape.ts';
import { entryOf, makeCheckpoint, NAMESPACE, nameOf, type StateService, startState } from '../state-service.ts';
import type { Suite } from '../suite.ts';

const RECORDS = 400;
const CALLS = 200;
/** As without a feed. */
const [ENTRY, SESSION] = [atMost(7), atMost(6)];

export const stateFeed: Suite = {
  name: 'state-feed',
  async run(bench) {
    await using parts = new AsyncDisposableStack();
    const state = await startState(bench, { records: RECORDS }, parts);
    const { app } = state;
    const [caller] = state.callers as readonly [StateService['callers'][number]];
    const named = (number: number) => ({ namespace: NAMESPACE, key: nameOf(number) });
    const { id } = await app.sessions.create(caller, sessionOf(1));
    let created = RECORDS;
    let turn = 0;
    const texts = [JSON.stringify('a'.repeat(64)), JSON.stringify('b'.repeat(64))] as const;
    const update = () => app.sessions.update(caller, id, { set: new Map([['preferences', texts[turn++ % 2] ?? '']]) });
    const create = () => app.cache.set(caller, named(created), entryOf(created++));
    const again = () => app.cache.set(caller, named(0), entryOf(turn++));
    const rows: Row[] = [];
    for (const { call, ...facts } of [
      { id: 'create', what: 'set of a new entry', reach: ENTRY, call: create },
      { id: 'overwrite', what: 'set again', reach: ENTRY, call: again },
      { id: 'session-update', what: 'update of a session', reach: SESSION, call: update },
    ]) {
      await makeCheckpoint(app);
      rows.push(await countRow(state, facts, call));
    }
    return rows;
  },
};

async function countRow(
  { redis }: StateService,
  { id, what, reach }: { readonly id: string; readonly what: string; readonly reach: Reach },
  call: Side,
): Promise<Row> {
  // Redis learns the script; and of a record that changes again and again the first change is told of.
  await call();
  const { scripts, inner, names } = scriptCallsOf(
    await countCommands(redis, async () => {
      for (let done = 0; done < CALLS; done++) await call();
    }),
  );
  if (scripts.calls !== CALLS) throw new Error(`${scripts.calls} scripts ran for ${CALLS} calls`);
  return rowOf(
    {
      id: `state-feed-${id}`,
      layer: 'lib',
      what: `After a checkpoint, ${what}, 1 KB: calls inside the script`,
      reach,
      unit: 'calls',
      detail: `${names.join(', ')}; ${(scripts.us / scripts.calls).toFixed(1)} µs`,
    },
    [inner / CALLS],
  );
}
