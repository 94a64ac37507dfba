/** How long a changed configuration takes to every warm instance, while each of them serves requests. */
import type { App } from '../../../lib/app.ts';
import { type Caller, parseApiKey } from '../../../lib/gate/caller.ts';
import { telemetry } from '../../../lib/metrics/telemetry.ts';
import { startBucket } from '../bucket-env.ts';
import { createTenant } from '../create-tenant.ts';
import { startOwnRedis } from '../own-redis.ts';
import { atMost, type Row, rowOf } from '../row.ts';
import { startApp } from '../start-app.ts';
import { entryOf, NAMESPACE, nameOf } from '../state-service.ts';
import { median } from '../statistics.ts';
import type { Suite } from '../suite.ts';

const INSTANCES = 4;
const CHANGES = 2;
/** More is a miss, whatever it comes to. */
const DEADLINE_MS = 20_000;

export const stateConfig: Suite = {
  name: 'state-config',
  async run(bench) {
    await using parts = new AsyncDisposableStack();
    // Each instance tells of each change.
    const { logger } = telemetry;
    const level = logger.getLevelName();
    logger.setLogLevel('ERROR');
    parts.defer(() => logger.setLogLevel(level));
    const bucket = await startBucket(parts);
    const own = await startOwnRedis({ ...bench.env.tcp, ...bucket }, parts);
    const env = { ...bench.env.tcp, ...bucket, REDIS_URL: own.url };
    const apps = [own.app];
    while (apps.length < INSTANCES) apps.push(await startApp(env, { parts }));
    const caller = parseApiKey((await createTenant(own.app)).apiKey);
    await Promise.all(apps.map((app) => app.configLook.atStart()));
    const load = startRequests(apps, caller);
    const times: number[] = [];
    try {
      for (let change = 1; change <= CHANGES; change++) times.push(await secondsToAll(apps, 1_000 + change));
    } finally {
      await load.stop();
    }
    return rowsOf(times, load.counts());
  },
};

/** The last of the instances to have it. */
async function secondsToAll(apps: readonly App[], ttlSeconds: number): Promise<number> {
  const [maker] = apps as readonly [App];
  const startedAt = performance.now();
  await maker.configReload.reload({ settings: { cache: { default_ttl_seconds: ttlSeconds } } }, {}, false);
  const isTaken = ({ config }: App) => config.cache.defaultTtlMs === ttlSeconds * 1_000;
  while (!apps.every(isTaken) && performance.now() - startedAt < DEADLINE_MS)
    await new Promise((resolve) => setTimeout(resolve, 10));
  return (performance.now() - startedAt) / 1_000;
}

/** One request after the other of each instance, as the door does it. */
function startRequests(apps: readonly App[], caller: Caller) {
  let [requests, failed] = [0, 0];
  let goesOn = true;
  const request = async (app: App) => {
    await app.configLook.beforeRequest();
    const name = { namespace: NAMESPACE, key: nameOf(++requests % 100) };
    await app.liveConfig.run(caller.tenantId, () => app.cache.set(caller, name, entryOf(requests)));
  };
  const serve = async (app: App) => {
    while (goesOn) await request(app).catch(() => failed++);
  };
  const serving = Promise.all(apps.map(serve));
  return {
    async stop() {
      goesOn = false;
      await serving;
    },
    counts: () => ({ requests, failed }),
  };
}

function rowsOf(
  times: readonly number[],
  { requests, failed }: { readonly requests: number; readonly failed: number },
): readonly Row[] {
  return [
    rowOf(
      {
        id: 'state-config-visible',
        layer: 'lib',
        what: `A changed setting until the last of ${INSTANCES} warm instances has it`,
        reach: atMost(5),
        unit: 's',
        detail: `${CHANGES} changes, the slowest ${Math.max(...times).toFixed(2)} s, p50 ${median(times).toFixed(2)} s`,
      },
      [Math.max(...times)],
    ),
    rowOf(
      {
        id: 'state-config-failed',
        layer: 'lib',
        what: 'the same: requests that failed meanwhile',
        reach: atMost(0),
        unit: 'calls',
        detail: `of ${requests.toLocaleString('en')}`,
      },
      [failed],
    ),
  ];
}
