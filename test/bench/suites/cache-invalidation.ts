/** Invalidation of many entries beside that of few, counting a million, and the most that matching a glob may cost. */
import { compileGlob } from '../../../lib/cache/invalidation/glob.ts';
import type { Selector } from '../../../lib/cache/invalidation/selector.ts';
import type { Caller } from '../../../lib/gate/caller.ts';
import { LISTED, listedTenant } from '../listed-entries.ts';
import { measureLatency, measureRounds } from '../rounds.ts';
import { atMost, type Row, rowOf } from '../row.ts';
import type { Bench } from '../setup.ts';
import { median, percentile, ratiosOf } from '../statistics.ts';
import type { Suite } from '../suite.ts';

const { namespace, tag, prefix } = LISTED;
const AT_ONCE = {
  tag: { by: 'tags', tags: [tag] },
  namespace: { by: 'namespace', namespace },
  tenant: { by: 'all' },
} as const satisfies Readonly<Record<string, Selector>>;
const COUNTED = {
  tag: AT_ONCE.tag,
  namespace: AT_ONCE.namespace,
  prefix: { by: 'prefix', namespace, prefix },
} as const;
const [FEW, MANY, MOST] = [1_000, 100_000, 1_000_000];
const LISTED_ONLY = 'entries listed in the index, not stored';
const SAME = atMost(1.2);

export const cacheInvalidation: Suite = {
  name: 'cache-invalidation',
  async run(bench) {
    const [few, many] = [await listedTenant(bench, FEW), await listedTenant(bench, MANY)];
    const rows: Row[] = [await prefixRow(bench, few, many)];
    for (const what of ['tag', 'namespace', 'tenant'] as const) rows.push(await scaleRow(bench, what, few, many));
    const most = await listedOnce(bench);
    for (const what of ['tag', 'namespace', 'prefix'] as const) rows.push(await countRow(bench, what, most));
    return [...rows, ...(await globRows())];
  },
};

const listed = new WeakMap<Bench, Caller>();

/** The million of every run, for it takes seconds to list, and counting changes nothing. */
async function listedOnce(bench: Bench): Promise<Caller> {
  const caller = listed.get(bench) ?? (await listedTenant(bench, MOST));
  listed.set(bench, caller);
  return caller;
}

const invalidate = ({ app }: Bench, caller: Caller, selector: Selector, dry = false) =>
  app.tcp.invalidation.invalidate(caller, { selector, dry });

async function scaleRow(bench: Bench, what: keyof typeof AT_ONCE, few: Caller, many: Caller): Promise<Row> {
  const p50 = await measureLatency({
    many: () => invalidate(bench, many, AT_ONCE[what]),
    few: () => invalidate(bench, few, AT_ONCE[what]),
  });
  return rowOf(
    {
      id: `cache-invalidate-${what}`,
      layer: 'lib',
      what: `Invalidate a ${what} of 100,000 entries vs of 1,000, p50`,
      reach: SAME,
      unit: '×',
      detail: `${median(p50.many).toFixed(0)} vs ${median(p50.few).toFixed(0)} µs; ${LISTED_ONLY}`,
    },
    ratiosOf(p50.many, p50.few),
  );
}

const MATCHING = 100;
const CALLS = 4;
const ON_SALE = Array.from({ length: MATCHING }, (_, i) => ({
  key: `sale/${i}`,
  value: Buffer.from('a value'),
  meta: { content_type: 'text/plain' },
  ttlMs: null,
}));

/** What matches is stored again before each call; only the call is timed. */
async function prefixRow(bench: Bench, few: Caller, many: Caller): Promise<Row> {
  const selector: Selector = { by: 'prefix', namespace, prefix: 'sale/' };
  const p50 = await measureRounds({ many, few }, { rounds: 20 }, async (caller) => {
    const times: number[] = [];
    for (let call = 0; call < CALLS; call++) {
      await bench.app.tcp.cache.setMany(caller, namespace, ON_SALE);
      const startedAt = performance.now();
      await invalidate(bench, caller, selector);
      times.push(performance.now() - startedAt);
    }
    return percentile(times, 0.5) * 1000;
  });
  return rowOf(
    {
      id: 'cache-invalidate-prefix',
      layer: 'lib',
      what: `Invalidate a prefix of ${MATCHING} keys among 100,000 vs among 1,000, p50`,
      reach: SAME,
      unit: '×',
      detail: `${median(p50.many).toFixed(0)} vs ${median(p50.few).toFixed(0)} µs; the other entries are listed in the index, not stored`,
    },
    ratiosOf(p50.many, p50.few),
  );
}

async function countRow(bench: Bench, what: keyof typeof COUNTED, caller: Caller): Promise<Row> {
  const { count } = await measureLatency({ count: () => invalidate(bench, caller, COUNTED[what], true) });
  return rowOf(
    {
      id: `cache-count-${what}`,
      layer: 'lib',
      what: `Count what invalidating a ${what} of 1,000,000 entries would be (dry run), p50`,
      reach: atMost(5),
      unit: 'ms',
      detail: `exact; ${LISTED_ONLY}`,
    },
    count.map((us) => us / 1000),
  );
}

/** Where nearly every position is tried again. */
const WORST = [
  { id: 'runs', pattern: '*a*a*a*a*b', characters: 256, reach: atMost(1) },
  { id: 'longest', pattern: `*${'a'.repeat(254)}b`, characters: 1_024, reach: undefined },
];

async function globRows(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const { id, pattern, characters, reach } of WORST) {
    const glob = compileGlob(pattern);
    const key = 'a'.repeat(characters);
    const { match } = await measureLatency({ match: async () => glob.matches(key) }, { rounds: 10 });
    const shown = pattern.length > 20 ? `* and 254 a and b (256 characters)` : pattern;
    const facts = { layer: 'lib', unit: 'ms', detail: `${glob.steps(key).toLocaleString('en')} steps` } as const;
    const what = `Match the glob ${shown} with a key of ${characters.toLocaleString('en')} a, p50`;
    const judged = reach === undefined ? {} : { reach };
    rows.push(
      rowOf(
        { ...facts, ...judged, id: `cache-glob-${id}`, what },
        match.map((us) => us / 1000),
      ),
    );
  }
  return rows;
}
