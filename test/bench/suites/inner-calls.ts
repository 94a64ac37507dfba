/** What a read costs Redis: round trips, inner calls, and the server's time. */
import { type CommandCount, countCommands } from '../command-stats.ts';
import { atMost, type Row, rowOf } from '../row.ts';
import type { Suite } from '../suite.ts';

const READS = 2_000;
const ROUNDS = 7;

export const innerCalls: Suite = {
  name: 'inner-calls',
  async run({ app, caller, entry, raw }) {
    const read = () => app.tcp.cache.get(caller, entry);
    await countCommands(raw.tcp, () => repeat(read, READS));
    const counts: ReadonlyMap<string, CommandCount>[] = [];
    for (let round = 0; round < ROUNDS; round++) counts.push(await countCommands(raw.tcp, () => repeat(read, READS)));
    return rowsOf(counts);
  },
};

function rowsOf(rounds: readonly ReadonlyMap<string, CommandCount>[]): readonly Row[] {
  const ofScript = (counts: ReadonlyMap<string, CommandCount>) => counts.get('evalsha') ?? { calls: 0, us: 0 };
  const inner = rounds.map((counts) => total(counts) / READS - ofScript(counts).calls / READS);
  const names = [...(rounds[0]?.keys() ?? [])].filter((name) => name !== 'evalsha').join(', ');
  return [
    rowOf(
      {
        id: 'read-round-trips',
        layer: 'lib',
        what: 'Authenticated, limited, metered read of 1 KB: round trips',
        reach: atMost(1),
        unit: 'calls',
        detail: `${READS} reads a round, by commandstats`,
      },
      rounds.map((counts) => ofScript(counts).calls / READS),
    ),
    rowOf(
      {
        id: 'read-inner-calls',
        layer: 'lib',
        what: 'the same: calls inside the script',
        reach: atMost(4),
        unit: 'calls',
        detail: names,
      },
      inner,
    ),
    rowOf(
      {
        id: 'read-server-time',
        layer: 'lib',
        what: 'the same: time of the script on the server',
        reach: atMost(12),
        unit: 'µs',
        detail: 'evalsha, usec per call',
      },
      rounds.map((counts) => ofScript(counts).us / ofScript(counts).calls),
    ),
  ];
}

const total = (counts: ReadonlyMap<string, CommandCount>): number =>
  [...counts.values()].reduce((sum, { calls }) => sum + calls, 0);

async function repeat(call: () => Promise<unknown>, times: number): Promise<void> {
  for (let done = 0; done < times; done++) await call();
}
