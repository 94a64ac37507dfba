/** What a read costs Redis: round trips, inner calls, and the server's time. */
import { countCommands, type ScriptCalls, scriptCallsOf } from '../command-stats.ts';
import { atMost, type Row, rowOf } from '../row.ts';
import { median } from '../statistics.ts';
import type { Suite } from '../suite.ts';

const READS = 640;
const ROUNDS = 15;
/** As many as the throughput over TCP is measured with. */
const CALLERS = 64;

export const innerCalls: Suite = {
  name: 'inner-calls',
  async run({ app, caller, entry, raw }) {
    const read = () => app.tcp.cache.get(caller, entry);
    const measure = async (callers: number) => {
      await countCommands(raw.tcp, () => repeat(read, callers));
      const counts: ScriptCalls[] = [];
      for (let round = 0; round < ROUNDS; round++)
        counts.push(scriptCallsOf(await countCommands(raw.tcp, () => repeat(read, callers))));
      return counts;
    };
    const lone = median((await measure(1)).map(scriptUs));
    return rowsOf(await measure(CALLERS), lone);
  },
};

function rowsOf(rounds: readonly ScriptCalls[], loneUs: number): readonly Row[] {
  const row = (facts: Omit<Row, 'layer' | 'got' | 'spread'>, figure: (calls: ScriptCalls) => number) =>
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
      ({ scripts }) => scripts.calls / READS,
    ),
    row(
      {
        id: 'read-inner-calls',
        what: 'the same: calls inside the script',
        reach: atMost(4),
        unit: 'calls',
        detail: rounds[0]?.names.join(', ') ?? '',
      },
      ({ inner }) => inner / READS,
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

const scriptUs = ({ scripts }: ScriptCalls): number => scripts.us / scripts.calls;

async function repeat(call: () => Promise<unknown>, callers: number): Promise<void> {
  const caller = async () => {
    for (let done = 0; done < READS / callers; done++) await call();
  };
  await Promise.all(Array.from({ length: callers }, caller));
}
