/** Rows of the encryption suite: trips and inner calls of an instance that served the tenant before. */
import type { App } from '../../../lib/app.ts';
import { countCommands, scriptCallsOf } from '../command-stats.ts';
import type { Side } from '../rounds.ts';
import { atMost, type Row, rowOf } from '../row.ts';
import type { Bench } from '../setup.ts';
import { NO_TRIPS, type TripCounter, type Trips } from '../trip-counter.ts';

const CALLS = 200;

/** Calls of one tenant, as an app makes them. */
export interface TenantCalls {
  read(app: App): Side;
  write(app: App): Side;
}

/** @param counted an app that has not served the tenant yet; the scripts are known to Redis. */
export async function callRows(
  { raw }: Bench,
  { read, write }: TenantCalls,
  { app, trips }: { readonly app: App; readonly trips: TripCounter },
): Promise<readonly Row[]> {
  const { trips: first } = await trips.count(read(app));
  const count = async (call: Side) => {
    let made = NO_TRIPS;
    const counts = await countCommands(raw.tcp, async () => {
      ({ trips: made } = await trips.count(() => repeat(call)));
    });
    return { trips: made, script: scriptCallsOf(counts) };
  };
  return [
    ...rowsOf({ id: 'read', what: 'Read', innerCalls: 5, first }, await count(read(app))),
    ...rowsOf({ id: 'write', what: 'Overwrite', innerCalls: 7, first }, await count(write(app))),
  ];
}

function rowsOf(
  call: { readonly id: string; readonly what: string; readonly innerCalls: number; readonly first: Trips },
  counted: { readonly trips: Trips; readonly script: { readonly inner: number; readonly names: readonly string[] } },
): readonly Row[] {
  const row = (facts: Pick<Row, 'id' | 'what' | 'reach' | 'detail'>, calls: number) =>
    rowOf({ ...facts, layer: 'lib', unit: 'calls' }, [calls / CALLS]);
  const { redis, blobs, keys } = call.first;
  return [
    row(
      {
        id: `encrypted-${call.id}-trips`,
        what: `${call.what} of 1 KB, encrypted and with policies: trips to Redis, S3 and key provider`,
        reach: atMost(1),
        detail: `${CALLS} calls; an instance’s first read: ${redis} + ${blobs} + ${keys}`,
      },
      Object.values(counted.trips).reduce((all, made) => all + made, 0),
    ),
    row(
      {
        id: `encrypted-${call.id}-inner-calls`,
        what: 'the same: calls inside the script',
        reach: atMost(call.innerCalls),
        detail: counted.script.names.join(', '),
      },
      counted.script.inner,
    ),
  ];
}

async function repeat(call: Side): Promise<void> {
  for (let done = 0; done < CALLS; done++) await call();
}
