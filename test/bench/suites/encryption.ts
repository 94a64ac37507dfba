/** What encryption and policies of a tenant's own cost its calls: no trip, no inner call, some time. */
import type { App } from '../../../lib/app.ts';
import { type Caller, parseApiKey } from '../../../lib/gate/caller.ts';
import type { TenantId } from '../../../lib/ids.ts';
import { createKeys } from '../../../lib/keys.ts';
import { createTenant, tenantRequest } from '../create-tenant.ts';
import { startEncryption } from '../encryption-env.ts';
import { measureLatency } from '../rounds.ts';
import { type Row, rowOf } from '../row.ts';
import type { Bench } from '../setup.ts';
import { startApp } from '../start-app.ts';
import { median, ratiosOf } from '../statistics.ts';
import type { Suite } from '../suite.ts';
import { createTripCounter } from '../trip-counter.ts';
import { jsonOfBytes } from '../values.ts';
import { callRows, type TenantCalls } from './encrypted-calls.ts';

const ENTRY = { namespace: 'products', key: 'sealed/1024' };
const VALUE = jsonOfBytes(1024);
/** The calls pass by the first; the second is asked, too. */
const POLICIES = {
  default: 'deny' as const,
  statements: [
    { effect: 'allow' as const, actions: ['cache:*'], resources: ['cache/products/*'] },
    { effect: 'deny' as const, actions: ['*'], resources: ['cache/*/private/*'] },
  ],
};

export const encryption: Suite = {
  name: 'encryption',
  async run(bench) {
    await using parts = new AsyncDisposableStack();
    const env = { ...bench.env.tcp, ...(await startEncryption(parts)) };
    const app = await startApp(env, { parts });
    const { id, apiKey } = await createTenant(app, tenantRequest({ encryption: true }));
    await app.tenantPolicies.set(id, POLICIES, {});
    const calls = callsOf(parseApiKey(apiKey));
    await calls.write(app)();
    await calls.read(app)();
    await requireSealed(bench, id);
    const trips = createTripCounter();
    const counted = { app: await startApp(env, { parts, failpoint: trips.failpoint }), trips };
    return [
      ...(await callRows(bench, calls, counted)),
      ...(await latencyRows(app, calls, callsOf(bench.caller))),
      await creationRow(app),
    ];
  },
};

const callsOf = (caller: Caller): TenantCalls => ({
  read:
    ({ cache }) =>
    async () => {
      if ((await cache.get(caller, ENTRY)) === null) throw new Error('The entry was lost');
    },
  write:
    ({ cache }) =>
    () =>
      cache.set(caller, ENTRY, { value: VALUE, meta: { content_type: 'application/json' }, ttlMs: 86_400_000 }),
});

/** In the clear, all of this would say nothing. @throws {Error} the entry is not sealed. */
async function requireSealed({ app, raw }: Bench, id: TenantId): Promise<void> {
  const { keyPrefix, version } = app.tcp.config.cache;
  const stored = await raw.tcp.get(createKeys(`${keyPrefix}:${version}:`).cacheEntry(id, 1, ENTRY));
  if (!/^c2,[^\n]*,g(?:raw|lz4|zstd)\n/.test(stored ?? '')) throw new Error('The entry is not sealed');
}

/** Beside a tenant without encryption and policies, in the same app. */
async function latencyRows(app: App, ours: TenantCalls, plain: TenantCalls): Promise<readonly Row[]> {
  await plain.write(app)();
  const sides = {
    read: ours.read(app),
    plainRead: plain.read(app),
    write: ours.write(app),
    plainWrite: plain.write(app),
  };
  const p50 = await measureLatency(sides, { rounds: 19 });
  const row = (id: string, what: string, [sealed, bare]: readonly [readonly number[], readonly number[]]) =>
    rowOf(
      { id, layer: 'lib', what, unit: '×', detail: `${median(sealed).toFixed(0)} vs ${median(bare).toFixed(0)} µs` },
      ratiosOf(sealed, bare),
    );
  return [
    row('encrypted-read-p50', 'Read of 1 KB, encrypted and with policies vs plain, TCP, p50', [
      p50.read,
      p50.plainRead,
    ]),
    row('encrypted-write-p50', 'Overwrite of the same, p50', [p50.write, p50.plainWrite]),
  ];
}

/** Its data key is in S3 before the tenant is there. */
async function creationRow(app: App): Promise<Row> {
  const request = tenantRequest({ encryption: true });
  const { ours } = await measureLatency({ ours: () => app.tenants.create(request) }, { rounds: 9, blockMs: 60 });
  return rowOf(
    {
      id: 'tenant-create-encrypted',
      layer: 'lib',
      what: 'Tenant create with a data key of its own, p50',
      claim: '2.8 ms',
      unit: 'ms',
      detail: 'the key is on the disk of the S3 endpoint first',
    },
    ours.map((us) => us / 1000),
  );
}
