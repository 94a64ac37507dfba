/** What a quota check costs beside a GET by the client underneath, on each transport; and a reservation with its end. */
import type { App } from '../../../lib/app.ts';
import { measureLatency, type Side } from '../rounds.ts';
import { atMost, rowOf } from '../row.ts';
import type { Bench } from '../setup.ts';
import { median, ratiosOf } from '../statistics.ts';
import type { Suite } from '../suite.ts';

/** Quota check against a raw GET of 1 KB, p50. */
const REACH = 1.3;

export const quotaCheck: Suite = {
  name: 'quota-check',
  async run(bench) {
    const { app, raw, rawKey } = bench;
    const tcp = await measureLatency({ ...oursOf(app.tcp, bench), raw: () => raw.tcp.get(rawKey) });
    const rest = await measureLatency({ ...oursOf(app.rest, bench), raw: () => raw.rest.get(rawKey) });
    return [
      ...(['tcp', 'rest'] as const).map((transport) => {
        const p50 = { tcp, rest }[transport];
        const name = { tcp: 'TCP vs raw ioredis GET', rest: 'REST vs raw @upstash/redis GET' }[transport];
        return rowOf(
          {
            id: `quota-check-${transport}-p50`,
            layer: 'lib',
            what: `Quota check over ${name} of 1 KB, p50`,
            reach: atMost(REACH),
            unit: '×',
            detail: `${median(p50.check).toFixed(0)} vs ${median(p50.raw).toFixed(0)} µs`,
          },
          ratiosOf(p50.check, p50.raw),
        );
      }),
      rowOf(
        {
          id: 'quota-reserve-settle-p50',
          layer: 'lib',
          what: 'Reservation and its commit over TCP vs two raw GETs, p50',
          unit: '×',
          detail: `${median(tcp.reserve).toFixed(0)} vs ${(2 * median(tcp.raw)).toFixed(0)} µs`,
        },
        ratiosOf(tcp.reserve, tcp.raw).map((ratio) => ratio / 2),
      ),
    ];
  },
};

function oursOf({ quotas }: App, { caller }: Bench): Readonly<Record<'check' | 'reserve', Side>> {
  return {
    check: () => quotas.check(caller.tenantId, { resource: 'operations_per_minute' }),
    reserve: async () => {
      const { id } = await quotas.reserve(caller, { resource: 'data_transfer_bytes', amount: 100 });
      await quotas.commit(caller, id, 50);
    },
  };
}
