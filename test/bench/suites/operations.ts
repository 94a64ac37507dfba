/** Single calls of the lib over TCP, beside what other systems claim for the same, and beside raw Redis in this run. */
import { randomUUID } from 'node:crypto';
import { tenantRequest } from '../create-tenant.ts';
import { measureLatency, type Side } from '../rounds.ts';
import { type Row, rowOf } from '../row.ts';
import type { Bench } from '../setup.ts';
import { median } from '../statistics.ts';
import type { Suite } from '../suite.ts';
import { jsonOfBytes } from '../values.ts';

interface Operation {
  readonly id: string;
  readonly what: string;
  readonly claim: string;
  readonly ours: Side;
  readonly raw: Side;
  readonly rawName: string;
}

export const operations: Suite = {
  name: 'operations',
  async run(bench) {
    const rows: Row[] = [];
    for (const operation of [...writes(bench), ...reads(bench), ...administration(bench)]) {
      const { ours, raw, rawName, ...facts } = operation;
      const p50 = await measureLatency({ ours, raw }, { rounds: 9, blockMs: 30 });
      const detail = `${median(p50.ours).toFixed(0)} vs ${median(p50.raw).toFixed(0)} µs of a raw ${rawName}`;
      rows.push(
        rowOf(
          { ...facts, layer: 'lib', unit: 'ms', detail },
          p50.ours.map((us) => us / 1000),
        ),
      );
    }
    return rows;
  },
};

function writes({ app, caller, raw }: Bench): readonly Operation[] {
  const claims = { 1: '1.2 ms', 10: '1.8 ms', 100: '3.5 ms' };
  return ([1, 10, 100] as const).map((kb) => {
    const value = jsonOfBytes(kb * 1024);
    const name = { namespace: 'products', key: `bench/set-${kb}` };
    const meta = { content_type: 'application/json' };
    return {
      id: `set-${kb}kb`,
      what: `Cache set of ${kb} KB, p50`,
      claim: claims[kb],
      ours: () => app.tcp.cache.set(caller, name, { value, meta, ttlMs: 3_600_000 }),
      raw: () => raw.tcp.set(`bench:raw:set-${kb}`, value),
      rawName: 'SET',
    };
  });
}

function reads({ app, caller, entry, raw, rawKey }: Bench): readonly Operation[] {
  const missing = { namespace: 'products', key: 'not/there' };
  return [
    {
      id: 'get-hit',
      what: 'Cache get of 1 KB, hit, p50',
      claim: '0.8 ms',
      ours: () => app.tcp.cache.get(caller, entry),
      raw: () => raw.tcp.get(rawKey),
      rawName: 'GET',
    },
    {
      id: 'get-miss',
      what: 'Cache get, miss, p50',
      claim: '0.6 ms',
      ours: () => app.tcp.cache.get(caller, missing),
      raw: () => raw.tcp.get('bench:raw:missing'),
      rawName: 'GET',
    },
  ];
}

function administration({ app, caller, raw }: Bench): readonly Operation[] {
  const request = tenantRequest();
  return [
    {
      id: 'tenant-create',
      what: 'Tenant create, unencrypted, p50',
      claim: '2.8 ms',
      ours: () => app.tcp.tenants.create(request),
      raw: () => raw.tcp.hset(`bench:raw:tenant:${randomUUID()}`, { json: JSON.stringify(request) }),
      rawName: 'HSET',
    },
    {
      id: 'quota-check',
      what: 'Quota check, p50',
      claim: '0.3 ms',
      ours: () => app.tcp.quotas.check(caller.tenantId, { resource: 'operations_per_minute' }),
      raw: () => raw.tcp.hget('bench:separate', 'limits'),
      rawName: 'HGET',
    },
  ];
}
