/** What a read costs Redis: round trips, inner calls, and the server's time. */
import { type CommandCount, countCommands } from '../command-stats.ts';
import { atMost, type Row, rowOf } from '../row.ts';
import { median } from '../statistics.ts';
import type { Suite } from '../suite.ts';

const READS = 640;
const ROUNDS = 15;
/** As many as the throughput over TCP is measured with. */
const CALLERS = 64;

type Counts = ReadonlyMap<string, CommandCount>;
const SCRIPT = 'evalsha';

export const innerCalls: Suite = {
  name: 'inner-calls',
  async run({ app, caller, entry, raw }) {
    const read = () => app.tcp.cache.get(caller, entry);
    const measure = async (callers: number) => {
      await countCommands(raw.tcp, () => repeat(read, callers));
      const counts: Counts[] = [];
      for (let round = 0; round < ROUNDS; round++)
        counts.push(await countCommands(raw.tcp, () => repeat(read, callers)));
      return counts;
    };
    const lone = median((await measure(1)).map(scriptUs));
    return rowsOf(await measure(CALLERS), lone);
  },
};

function rowsOf(rounds: readonly Counts[], loneUs: number): readonly Row[] {
  const names = [...(rounds[0]?.keys() ?? [])].filter((name) => name !== SCRIPT).join(', ');
  const row = (facts: Omit<Row, 'layer' | 'got' | 'spread'>, figure: (counts: Counts) => number) =>
    rowOf({ ...facts, layer: 'lib' }, rounds.map(figure));
  return [
    row(
      {
        id: 'read-round-trips',
        what: 'Authenticated, limited, metered read of 1 KB: round trips',
        reach: atMost(1),
        unit: 'calls',
        detail: `${READS} reads a round, by commandstats`,
      },
      (counts) => scriptCalls(counts) / READS,
    ),
    row(
      {
        id: 'read-inner-calls',
        what: 'the same: calls inside the script',
        reach: atMost(4),
        unit: 'calls',
        detail: names,
      },
      (counts) => (totalCalls(counts) - scriptCalls(counts)) / READS,
    ),
    row(
      {
        id: 'read-server-time',
        what: `the same: time of the script on the server, ${CALLERS} callers`,
        reach: atMost(12),
        unit: 'µs',
        detail: `evalsha, usec per call; ${loneUs.toFixed(1)} µs with one caller`,
      },
      scriptUs,
    ),
  ];
}

const scriptCalls = (counts: Counts): number => counts.get(SCRIPT)?.calls ?? 0;
const scriptUs = (counts: Counts): number => (counts.get(SCRIPT)?.us ?? 0) / scriptCalls(counts);
const totalCalls = (counts: Counts): number => [...counts.values()].reduce((sum, { calls }) => sum + calls, 0);

async function repeat(call: () => Promise<unknown>, callers: number): Promise<void> {
  const caller = async () => {
    for (let done = 0; done < READS / callers; done++) await call();
  };
  await Promise.all(Array.from({ length: callers }, caller));
}
