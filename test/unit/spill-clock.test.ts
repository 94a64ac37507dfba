/** The spill schedule in a host that is there all the time. */
import { expect, it } from 'vitest';
import { SPILL_SESSIONS, withSpillClock } from '../../infra/local/spill-clock.ts';

const MINUTE = { everyMs: 60_000 };
const schedules = [
  { name: 'schedulesCleanUp', expression: MINUTE },
  { name: SPILL_SESSIONS, expression: MINUTE },
];
const env = {
  REDIS_URL: 'redis://127.0.0.1:1',
  PERSISTENCE_BLOBS_BUCKET: 'bucket',
  PERSISTENCE_ADMIN_KEY_SHA256: '0'.repeat(64),
};

it('comes by the interval that is set, a pass a run; others as they are [P2]', async () => {
  const found = await withSpillClock(schedules, { ...env, PERSISTENCE_SPILLOVER_INTERVAL_SECONDS: '7' });
  expect(found).toEqual([schedules[0], { name: SPILL_SESSIONS, expression: { everyMs: 7_000 }, input: {} }]);
});

it('comes as it is declared where the configuration cannot be used', async () => {
  expect(await withSpillClock(schedules, { ...env, PERSISTENCE_SPILLOVER_INTERVAL_SECONDS: 'soon' })).toEqual(
    schedules,
  );
});
