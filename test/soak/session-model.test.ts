/** `npm run test:soak`: sessions beside a model, for much longer than in the suite. */
import { expect, it } from 'vitest';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { TRANSPORTS } from '../support/app.ts';
import { runSessionModel } from '../support/session-model.ts';

const OPERATIONS = Number(process.env.RIPTIDE_SOAK_OPERATIONS ?? 40_000);
const STEPS = 4_000;

it.each(TRANSPORTS)(
  '%s: sessions lose no write, come back to no life, and are never a byte off [S1 S2 S3 S4 P1 P3 P4]',
  async (transport) => {
    telemetry.logger.setLogLevel('SILENT');
    const seed = Number(process.env.RIPTIDE_SEED ?? Date.now() % 1_000_000);
    const runs = Math.ceil(OPERATIONS / 2 / STEPS);
    console.log(`seed ${seed}, ${runs} runs of ${STEPS} over ${transport}`);
    const counts = await runSessionModel({ transport, runs, stepsPerRun: STEPS, seed });
    console.log(JSON.stringify(counts));
    expect(counts.updated).toBeGreaterThan(0);
  },
);
