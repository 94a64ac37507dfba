/** Whatever is done to the data, and wherever a checkpoint ends early: the next one says what Redis has. */
import { describe, expect, it } from 'vitest';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { TRANSPORTS } from '../support/app.ts';
import { runCheckpointModel } from '../support/checkpoint-model.ts';

const RUNS = { tcp: 8, rest: 2 };
const STEPS = 120;

describe.each(TRANSPORTS)('checkpoints beside what is done to the data, over %s [K1 K2]', (transport) => {
  it('say what is there, however little they write', { timeout: 300_000 }, async () => {
    telemetry.logger.setLogLevel('SILENT');
    const seed = Number(process.env.RIPTIDE_SEED ?? Date.now() % 1_000_000);
    console.log(`seed ${seed}`);
    const runs = Number(process.env.RIPTIDE_RUNS ?? RUNS[transport]);
    const counts = await runCheckpointModel({ transport, runs, stepsPerRun: STEPS, seed });
    console.log(JSON.stringify(counts));
    expect(counts.records).toBeGreaterThan(0);
  });
});
