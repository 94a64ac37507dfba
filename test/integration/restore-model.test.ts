/** Whatever was done to the data, and whichever checkpoint is restored or undone: what is there is what the checkpoint had. */
import { describe, expect, it } from 'vitest';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { TRANSPORTS } from '../support/app.ts';
import { runRestoreModel } from '../support/restore-model.ts';

const RUNS = { tcp: 8, rest: 2 };
const STEPS = 80;

describe.each(TRANSPORTS)('restores beside what is done to the data, over %s [K3]', (transport) => {
  it('bring back what was there', { timeout: 600_000 }, async () => {
    telemetry.logger.setLogLevel('SILENT');
    const seed = Number(process.env.RIPTIDE_SEED ?? Date.now() % 1_000_000);
    console.log(`seed ${seed}`);
    const runs = Number(process.env.RIPTIDE_RUNS ?? RUNS[transport]);
    const counts = await runRestoreModel({ transport, runs, stepsPerRun: STEPS, seed });
    console.log(JSON.stringify(counts));
    expect(counts.restore).toBeGreaterThan(0);
  });
});
