/** Invalidation of many entries beside that of few, counting a million, and the most that matching a glob may cost. */
import { compileGlob } from '../../../lib/cache/glob.ts';
import type { Selector } from '../../../lib/cache/selector.ts';
import { type Caller, parseApiKey } from '../../../lib/gate/caller.ts';
import { createKeys } from '../../../lib/keys.ts';
import { createTenant } from '../create-tenant.ts';
import { measureLatency } from '../rounds.ts';
import { atMost, type Row, rowOf } from '../row.ts';
import type { Bench } from '../setup.ts';
import { median, ratiosOf } from '../statistics.ts';
import type { Suite } from '../suite.ts';

const TAGS: Selector = { by: 'tags', tags: ['red'] };
/** Members that are sent at once. */
const BATCH = 9_000;

export const cacheInvalidation: Suite = {
  name: 'cache-invalidation',
  async run(bench) {
    const few = await listed(bench, 1_000);
    const many = await listed(bench, 100_000);
    const million = await listed(bench, 1_000_000);
    return [await scaleRow(bench, few, many), await countRow(bench, million), await globRow()];
  },
};

/** A tenant whose index lists so many entries with a tag: an invalidation reads no more of them. */
async function listed({ app, raw }: Bench, entries: number): Promise<Caller> {
  const caller = parseApiKey((await createTenant(app.tcp)).apiKey);
  const { keyPrefix, version } = app.tcp.config.cache;
  const index = createKeys(`${keyPrefix}:${version}:`).index(caller.tenantId, 1);
  for (let at = 0; at < entries; at += BATCH / 3) {
    const members = Array.from({ length: Math.min(BATCH / 3, entries - at) }, (_, i) => {
      const entry = `c\0products\0key/${at + i}`;
      return [0, `k\0${entry}`, 0, `t\0red\0${entry}`, 0, `a\x0029000000\0${entry}`];
    });
    await raw.tcp.zadd(index, ...members.flat());
  }
  return caller;
}

async function scaleRow({ app }: Bench, few: Caller, many: Caller): Promise<Row> {
  const invalidate = (caller: Caller) => () => app.tcp.invalidation.invalidate(caller, { selector: TAGS, dry: false });
  const p50 = await measureLatency({ many: invalidate(many), few: invalidate(few) });
  return rowOf(
    {
      id: 'cache-invalidate-scale',
      layer: 'lib',
      what: 'Invalidate a tag of 100,000 entries vs of 1,000, p50',
      reach: atMost(1.2),
      unit: '×',
      detail: `${median(p50.many).toFixed(0)} vs ${median(p50.few).toFixed(0)} µs`,
    },
    ratiosOf(p50.many, p50.few),
  );
}

async function countRow({ app }: Bench, caller: Caller): Promise<Row> {
  const { count } = await measureLatency({
    count: () => app.tcp.invalidation.invalidate(caller, { selector: TAGS, dry: true }),
  });
  return rowOf(
    {
      id: 'cache-invalidate-count',
      layer: 'lib',
      what: 'Count what invalidating a tag of 1,000,000 entries would be (dry run), p50',
      reach: atMost(5),
      unit: 'ms',
      detail: 'exact: ZLEXCOUNT',
    },
    count.map((us) => us / 1000),
  );
}

/** The longest pattern against the longest key, where nearly every position is tried again. */
async function globRow(): Promise<Row> {
  const glob = compileGlob(`*${'a'.repeat(254)}b`);
  const key = 'a'.repeat(1024);
  const { match } = await measureLatency({ match: async () => glob.matches(key) });
  return rowOf(
    {
      id: 'cache-glob-worst',
      layer: 'lib',
      what: 'Match the worst glob (256 characters) with a key of 1,024: no RegExp, no backtracking, p50',
      reach: atMost(5),
      unit: 'ms',
      detail: `${glob.steps(key)} steps`,
    },
    match.map((us) => us / 1000),
  );
}
