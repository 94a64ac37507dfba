/** Sessions beside a model: eight actors at once, each call of Redis and S3 in an order of the scheduler's. */
import { describe, expect, it } from 'vitest';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { TRANSPORTS } from '../support/app.ts';
import { runSessionModel } from '../support/session-model.ts';

const RUNS = { tcp: 7, rest: 3 };
const STEPS = 2_000;

describe.each(TRANSPORTS)('sessions beside a model, over %s [S1 S2 S3 S4 P1 P3 P4]', (transport) => {
  it('lose no write, come back to no life, and are never a byte off', { timeout: 300_000 }, async () => {
    telemetry.logger.setLogLevel('SILENT');
    const seed = Number(process.env.RIPTIDE_SEED ?? Date.now() % 1_000_000);
    console.log(`seed ${seed}`);
    const counts = await runSessionModel({ transport, runs: RUNS[transport], stepsPerRun: STEPS, seed });
    console.log(JSON.stringify(counts));
    expect(counts.updated).toBeGreaterThan(0);
  });
});
