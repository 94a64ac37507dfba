/** Many clients at once, beside a model. test/soak/quotas-load.test.ts does the same with 640,000 calls. */
import { expect, it } from 'vitest';
import { testApp } from '../support/app.ts';
import { runQuotaLoad } from '../support/quota-load.ts';

it('differs in nothing from the model after 64 clients made 150 mixed operations each, on both transports [T4 T6]', async () => {
  const apps = [await testApp({ transport: 'tcp' }), await testApp({ transport: 'rest' })];
  const { calls, refused } = await runQuotaLoad(apps, { clients: 64, operations: 150, seed: 1 });
  expect(calls).toBeGreaterThan(5_000);
  expect(refused).toBeGreaterThan(0);
});
