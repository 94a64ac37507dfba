/** The clock of the spill schedule in a host that is there all the time: a pass a run, for nobody pays for its waiting. */
import { readFile } from 'node:fs/promises';
import { resolveConfig } from '../../lib/config/resolve-config.ts';
import type { Schedule } from './schedules.ts';

/** As infra/functions.yml names it. */
export const SPILL_SESSIONS = 'schedulesSpillSessions';

/**
 * The schedules, with that one every `spillover.interval_seconds`: on AWS a run each minute makes its passes itself. So one that
 * is started at once never waits for the last to end its pause, and a stop waits for a pass at most.
 * @param intervalMs what the functions go by, read for each run: they may have taken another configuration by then.
 * @param environment what the functions run with. A configuration that cannot be used changes nothing: each function tells of it.
 */
export async function withSpillClock<S extends Schedule>(
  schedules: readonly S[],
  environment: NodeJS.ProcessEnv,
  intervalMs: () => number | undefined = () => undefined,
): Promise<readonly S[]> {
  const { config } = await resolveConfig({ env: environment, readFile: (path) => readFile(path, 'utf8') });
  if (config === undefined) return schedules;
  const started = config.spillover.intervalMs;
  const expression = {
    get everyMs() {
      return intervalMs() ?? started;
    },
  };
  const clock = { expression, input: {} };
  return schedules.map((schedule) => (schedule.name === SPILL_SESSIONS ? { ...schedule, ...clock } : schedule));
}
