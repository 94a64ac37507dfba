/** What a restore loads in a second, beside a loop that only writes. */
import type { Redis } from 'ioredis';
import type { FailpointHook } from '../../../lib/redis/failpoints.ts';
import { bareWrites } from '../bare-restore.ts';
import { createRawTcp } from '../raw-clients.ts';
import { measureRounds } from '../rounds.ts';
import { atLeast, rowOf } from '../row.ts';
import { documentOf, endOfJob, makeCheckpoint, nameOf, type StateService, startState } from '../state-service.ts';
import { median, ratiosOf } from '../statistics.ts';
import type { Suite } from '../suite.ts';

const RECORDS = { default: 20_000, full: 200_000 } as const;
const ROUNDS = { rounds: 3 } as const;
/** What an entry is stored with besides its value. */
const HEAD = `c2,${'0'.repeat(180)}`;
const DOCUMENTS = 256;
const PREFIX = 'bare:records:';

export const stateRestores: Suite = {
  name: 'state-restores',
  async run(bench) {
    await using parts = new AsyncDisposableStack();
    const records = bench.isFull ? RECORDS.full : RECORDS.default;
    const watch = watchLoading();
    const state = await startState(bench, { records, failpoint: watch.failpoint }, parts);
    const redis = createRawTcp(state.app.config.redis);
    parts.defer(() => redis.disconnect());
    const { checkpoint_id: checkpointId } = await makeCheckpoint(state.app);
    const checked: number[] = [];
    const ours = async () => {
      const startedAt = performance.now();
      await restore(state, String(checkpointId));
      const { beganAt, endedAt } = watch.take();
      checked.push(beganAt - startedAt);
      return endedAt - beganAt;
    };
    const bare = () => writeBare(redis, records);
    const rates = await measureRounds({ ours, bare }, ROUNDS, async (msOf) => (records * 1_000) / (await msOf()));
    return [
      rowOf(
        {
          id: 'state-restore-load',
          layer: 'lib',
          what: 'Restore of all entries, loaded and switched over, vs a bare loop of pipelined SETs from memory, TCP, records per second',
          reach: atLeast(0.5),
          unit: '×',
          detail: `${thousands(median(rates.ours))} vs ${thousands(median(rates.bare))} records a second; ${median(checked).toFixed(0)} ms before to verify all and to write the safety checkpoint; ${records.toLocaleString('en')} entries of 1 KB, 4 tenants`,
        },
        ratiosOf(rates.ours, rates.bare),
      ),
    ];
  },
};

const thousands = (value: number): string => `${(value / 1_000).toFixed(1)}k`;

/** When the first generation was begun, and when the last was switched to. */
function watchLoading() {
  let [beganAt, endedAt] = [0, 0];
  const failpoint: FailpointHook = ({ name, phase }) => {
    if (name === 'begin-generation' && phase === 'before' && beganAt === 0) beganAt = performance.now();
    if (name === 'flip-generation' && phase === 'after') endedAt = performance.now();
  };
  return {
    failpoint,
    /** Of the restore that has ended. */
    take() {
      const seen = { beganAt, endedAt };
      [beganAt, endedAt] = [0, 0];
      return seen;
    },
  };
}

async function restore({ app, records }: StateService, checkpointId: string): Promise<void> {
  const order = { checkpointId, scope: { kind: 'all' }, dryRun: false, sessions: 'known', cache: true } as const;
  const { id } = await app.restores.start({ ...order, inlineMs: 60_000 });
  const { totals } = await endOfJob(app, id);
  if ((totals as { readonly cache?: number }).cache !== records) throw new Error('Not all entries came back');
}

/** @returns ms. What was written is removed again, outside of the time. */
async function writeBare(redis: Redis, records: number): Promise<number> {
  const texts = Array.from({ length: DOCUMENTS }, (_, i) => HEAD + documentOf(i).toString());
  const keyOf = (record: number) => PREFIX + nameOf(record);
  const startedAt = performance.now();
  await bareWrites(redis, {
    records,
    entryOf: (record) => [keyOf(record), texts[record % DOCUMENTS] as string],
  });
  const ms = performance.now() - startedAt;
  for (let from = 0; from < records; from += 1_000)
    await redis.unlink(...Array.from({ length: Math.min(1_000, records - from) }, (_, i) => keyOf(from + i)));
  return ms;
}
