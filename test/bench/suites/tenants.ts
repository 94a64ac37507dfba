/** What many tenants cost: reads of 10,000 beside reads of 10, 1,000 at once, pages of their list, creating one. */
import { type Fleet, forEach, startFleet } from '../fleet.ts';
import { measureLatency, measureThroughput } from '../rounds.ts';
import { atMost, type Row, rowOf } from '../row.ts';
import type { Bench } from '../setup.ts';
import { median, ratiosOf } from '../statistics.ts';
import type { Suite } from '../suite.ts';
import { creationRows, listRows, plainListRow } from './tenant-administration.ts';

const [FEW, SOME, MANY] = [10, 300, 10_000];
/** More than 100. */
const AT_ONCE = 1_000;

export const tenants: Suite = {
  name: 'tenants',
  async run(bench) {
    await using parts = new AsyncDisposableStack();
    const few = await startFleet(bench, 'bench-few', parts);
    const many = await startFleet(bench, 'bench-many', parts);
    await few.growTo(FEW);
    await many.growTo(SOME);
    const listOfSome = await plainListRow(many);
    await many.growTo(MANY);
    // Contexts are warm, as on an instance that serves all of them.
    await forEach(many.tenants, many.read);
    const reads = [await readRow(few, many), await atOnceRow(bench, many)];
    // From here on some are suspended.
    return [...reads, listOfSome, ...(await listRows(many)), ...(await creationRows(few))];
  },
};

/** Each call is of the next tenant. */
function rotation({ tenants, read }: Fleet, size = tenants.length) {
  let turn = 0;
  return () => read(tenants[turn++ % size] as Fleet['tenants'][number]);
}

async function readRow(few: Fleet, many: Fleet): Promise<Row> {
  const p50 = await measureLatency({ few: rotation(few), many: rotation(many) }, { rounds: 37 });
  return rowOf(
    {
      id: 'tenants-read-p50',
      layer: 'lib',
      what: `Read of 1 KB with ${count(MANY)} tenants vs with ${FEW}, over all of them in turn, p50`,
      reach: atMost(1.1),
      unit: '×',
      detail: `${median(p50.many).toFixed(0)} vs ${median(p50.few).toFixed(0)} µs`,
    },
    ratiosOf(p50.many, p50.few),
  );
}

/** As many callers as tenants, beside as many callers of one tenant. */
async function atOnceRow({ raw, rawKey }: Bench, many: Fleet): Promise<Row> {
  const sides = { many: rotation(many, AT_ONCE), one: rotation(many, 1), raw: () => raw.tcp.get(rawKey) };
  const rate = await measureThroughput(sides, { rounds: 7, blockMs: 100, concurrency: AT_ONCE });
  const detail = `${count(median(rate.one))} where all are of one tenant; raw ${count(median(rate.raw))} a second`;
  return rowOf(
    {
      id: 'tenants-at-once',
      layer: 'lib',
      what: `${count(AT_ONCE)} tenants at once, each reads 1 KB by its own key, TCP`,
      claim: '100+ concurrent tenants',
      unit: 'ops/s',
      detail,
    },
    rate.many,
  );
}

const count = (value: number) => Math.round(value).toLocaleString('en');
