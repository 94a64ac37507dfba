/** Whatever clients do to a cache at once, and wherever they are killed: each read is one that can be, and no counter is off. */
import { beforeAll, describe, expect, it } from 'vitest';
import { newUlid } from '../../lib/ids.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { TRANSPORTS, testApp } from '../support/app.ts';
import { INLINE_MAX_BYTES, runCacheLoad } from '../support/cache-load.ts';
import { createRandomFaults } from '../support/random-faults.ts';

const OPERATIONS = 1_000;
const SEED = Number(process.env.RIPTIDE_SEED ?? Date.now() % 1_000_000);

beforeAll(() => void telemetry.logger.setLogLevel('SILENT'));

describe.each(TRANSPORTS)('a cache under mixed load and faults, over %s [C1 C4 C6 C7 C8 C13 T6]', (transport) => {
  it(`shows what was written and hides what was taken away, and counts every byte (seed ${SEED})`, async () => {
    const faults = createRandomFaults(15);
    const env = {
      PERSISTENCE_CACHE_KEY_PREFIX: `cc-${newUlid(Date.now())}`,
      PERSISTENCE_CACHE_INLINE_MAX_BYTES: String(INLINE_MAX_BYTES),
    };
    const apps = await Promise.all([0, 1].map(() => testApp({ transport, env, failpoint: faults.hook })));
    const report = await runCacheLoad(apps, { clients: 8, operations: OPERATIONS, seed: SEED, faults });
    if (process.env.RIPTIDE_SEED !== undefined) console.log(JSON.stringify(report));
    expect(report.faulted).toBeGreaterThan(0);
    expect(report.entries).toBeGreaterThan(0);
  }, 60_000);
});
