/** What a quota check costs beside a GET by the client underneath, on each transport; and a reservation with its end. */
import { measureLatency, type Rounds } from '../rounds.ts';
import { atMost, type Reach, type Row, rowOf } from '../row.ts';
import type { Bench } from '../setup.ts';
import { median, ratiosOf } from '../statistics.ts';
import type { Suite } from '../suite.ts';

/** Of a check. */
const REACH = atMost(1.3);

export const quotaCheck: Suite = {
  name: 'quota-check',
  async run(bench) {
    const { app, caller, raw, rawKey } = bench;
    const check = { resource: 'operations_per_minute' } as const;
    const tcp = await measureLatency({
      ours: () => app.tcp.quotas.check(caller.tenantId, check),
      raw: () => raw.tcp.get(rawKey),
    });
    const rest = await measureLatency({
      ours: () => app.rest.quotas.check(caller.tenantId, check),
      raw: () => raw.rest.get(rawKey),
    });
    return [
      ratioRow(tcp, { id: 'quota-check-tcp-p50', what: 'Quota check over TCP vs raw ioredis GET of 1 KB, p50' }, REACH),
      ratioRow(
        rest,
        { id: 'quota-check-rest-p50', what: 'Quota check over REST vs raw @upstash/redis GET of 1 KB, p50' },
        REACH,
      ),
      ratioRow(await reservation(bench), {
        id: 'quota-reserve-commit-p50',
        what: 'Reservation and its commit over TCP vs two raw GETs, p50',
      }),
    ];
  },
};

function reservation({ app, caller, raw, rawKey }: Bench): Promise<Rounds<'ours' | 'raw'>> {
  const { quotas } = app.tcp;
  return measureLatency({
    ours: async () => {
      const { id } = await quotas.reserve(caller, { resource: 'data_transfer_bytes', amount: 100 });
      await quotas.commit(caller, id, 50);
    },
    raw: async () => {
      await raw.tcp.get(rawKey);
      await raw.tcp.get(rawKey);
    },
  });
}

function ratioRow(p50: Rounds<'ours' | 'raw'>, facts: Pick<Row, 'id' | 'what'>, reach?: Reach): Row {
  const detail = `${median(p50.ours).toFixed(0)} vs ${median(p50.raw).toFixed(0)} µs`;
  const row = { ...facts, layer: 'lib', unit: '×', detail, ...(reach === undefined ? {} : { reach }) } as const;
  return rowOf(row, ratiosOf(p50.ours, p50.raw));
}
