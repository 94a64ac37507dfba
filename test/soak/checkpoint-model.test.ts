/** `npm run test:soak`: checkpoints beside what is done to the data, for much longer than in the suite. */
import { expect, it } from 'vitest';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { TRANSPORTS } from '../support/app.ts';
import { runCheckpointModel } from '../support/checkpoint-model.ts';

const OPERATIONS = Number(process.env.RIPTIDE_SOAK_OPERATIONS ?? 40_000);
const STEPS = 400;

it.each(TRANSPORTS)('%s: checkpoints say what is there, however little they write [K1 K2]', async (transport) => {
  telemetry.logger.setLogLevel('SILENT');
  const seed = Number(process.env.RIPTIDE_SEED ?? Date.now() % 1_000_000);
  const runs = Math.ceil(OPERATIONS / 2 / STEPS);
  console.log(`seed ${seed}, ${runs} runs of ${STEPS} over ${transport}`);
  const counts = await runCheckpointModel({ transport, runs, stepsPerRun: STEPS, seed });
  console.log(JSON.stringify(counts));
  expect(counts.records).toBeGreaterThan(0);
});
