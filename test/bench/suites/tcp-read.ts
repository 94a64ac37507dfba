/** A read of 1 KB through the gate over TCP, beside a GET of the same bytes by the client underneath. */

import { measureLatency, measureThroughput } from '../rounds.ts';
import { atLeast, atMost, rowOf } from '../row.ts';
import { median, ratiosOf } from '../statistics.ts';
import type { Suite } from '../suite.ts';

const CALLERS = 64;

export const tcpRead: Suite = {
  name: 'tcp-read',
  async run({ app, caller, entry, raw, rawKey }) {
    const sides = { ours: () => app.tcp.cache.get(caller, entry), raw: () => raw.tcp.get(rawKey) };
    const p50 = await measureLatency(sides);
    const rate = await measureThroughput(sides, { concurrency: CALLERS });
    return [
      rowOf(
        {
          id: 'tcp-read-p50',
          layer: 'lib',
          what: 'Read of 1 KB over TCP vs raw ioredis GET, p50',
          reach: atMost(1.5),
          unit: '×',
          detail: `${median(p50.ours).toFixed(0)} vs ${median(p50.raw).toFixed(0)} µs`,
        },
        ratiosOf(p50.ours, p50.raw),
      ),
      rowOf(
        {
          id: 'tcp-read-throughput-64',
          layer: 'lib',
          what: 'the same, calls per second of 64 callers',
          reach: atLeast(0.4),
          unit: '×',
          detail: `${median(rate.ours).toFixed(0)} vs ${median(rate.raw).toFixed(0)} a second`,
        },
        ratiosOf(rate.ours, rate.raw),
      ),
    ];
  },
};
