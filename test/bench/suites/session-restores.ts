/** Rows of the spill suite: a read that brings a session back from S3, beside the steps a program without Riptide takes. */
import type { App } from '../../../lib/app.ts';
import type { Caller } from '../../../lib/gate/caller.ts';
import { measureRounds } from '../rounds.ts';
import { type Reach, type Row, rowOf } from '../row.ts';
import type { RawObjects } from '../session-moves.ts';
import { rawFieldsOf, SHAPE, sessionOf } from '../session-shape.ts';
import { median, percentile, ratiosOf } from '../statistics.ts';

const ROUNDS = 12;
/** Brought back on each side in a round, one after the other. */
const RESTORES = 24;
const IDLE_MS = 86_400_000;

/** As a program without Riptide would put a session back: it is there whole, and ends by itself. */
export const RAW_RESTORE = `
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
return redis.call('PEXPIRE', KEYS[1], ARGV[1])`;

export interface Restores {
  readonly transport: 'tcp' | 'rest';
  /** Of the row beside the steps of a restore alone. */
  readonly reach?: Reach;
  readonly app: App;
  readonly caller: Caller;
  /** Of sessions in S3; each comes back once. */
  readonly ids: Iterator<string>;
  readonly raw: RawObjects;
  /** {@link RAW_RESTORE} by its hash. */
  evalRaw(key: string, args: readonly (string | number)[]): Promise<unknown>;
  /** The HGETALL that says that it is not there. */
  missRaw(key: string): Promise<unknown>;
}

/** Ours begins with the read that finds out where the session is; raw is shown with such a read, and without. */
export async function restoreRows(restores: Restores): Promise<readonly Row[]> {
  const theirs = await rawRestore(restores);
  const read = async (turn: number) => {
    await restores.missRaw(`bench:raw:none-${turn}`);
    await theirs(turn);
  };
  const sides = { ours: ourRestore(restores), raw: theirs, read };
  const p50 = await measureRounds(sides, { rounds: ROUNDS }, async (restore) => {
    const times: number[] = [];
    for (let turn = 0; turn < RESTORES; turn++) {
      const startedAt = performance.now();
      await restore(turn);
      times.push(performance.now() - startedAt);
    }
    return percentile(times, 0.5) * 1_000;
  });
  const { transport, reach } = restores;
  const row = (id: string, what: string, raw: readonly number[], judged: { readonly reach?: Reach }) =>
    rowOf(
      {
        id: `session-restore-${transport}-${id}`,
        layer: 'lib',
        what,
        ...judged,
        unit: '×',
        detail: `${median(p50.ours).toFixed(0)} vs ${median(raw).toFixed(0)} µs; ${SHAPE}, 1 KB`,
      },
      ratiosOf(p50.ours, raw),
    );
  const ours = `Read that brings a session back from S3, ${transport.toUpperCase()}`;
  return [
    row(
      'p50',
      `${ours}, vs raw GetObject and a script that sets the hash, p50`,
      p50.raw,
      reach === undefined ? {} : { reach },
    ),
    row('read-p50', 'the same vs raw HGETALL, GetObject and that script, p50', p50.read, {}),
  ];
}

function ourRestore({ app, caller, ids }: Restores) {
  return async () => {
    const session = await app.sessions.get(caller, ids.next().value as string);
    if (session?.tier !== 'cold') throw new Error('The session was not in S3');
  };
}

/** Its objects are JSON as it is. */
async function rawRestore({ raw, evalRaw }: Restores) {
  const fields = JSON.stringify(rawFieldsOf(sessionOf(1)));
  const objects = Array.from({ length: RESTORES }, (_, i) => `bench/raw/session-${i}`);
  for (const key of objects) await raw.put(key, Buffer.from(fields));
  return async (turn: number) => {
    const found = JSON.parse((await raw.get(objects[turn] as string)).toString()) as Record<string, string>;
    await evalRaw(`bench:raw:session-${turn}`, [IDLE_MS, ...Object.entries(found).flat()]);
  };
}
