/** What is done when all requests have ended and nothing is written any more, before the connections are closed; in this order. */
import type { App } from '../app.ts';
import { createKeys } from '../keys.ts';
import type { StopStep } from './stop-steps.ts';

const METERING_MS = 2_000;

/**
 * A step each. `timeoutMs` is within what is left of `state.shutdown_timeout_seconds`: a third of it at least, unless those
 * before took it. What a step needs it imports when it runs: a host reads this file before it can read scripts.
 */
export function beforeCloseSteps(app: App): readonly StopStep[] {
  return [
    {
      name: 'metering',
      timeoutMs: METERING_MS,
      run: async (signal) => (await import('../gate/carried-work.ts')).meterCarriedWork(portsOf(app), signal),
    },
    // All that is left: what it has not written by then the next one has, and nothing acknowledged is lost.
    { name: 'checkpoint', timeoutMs: null, run: (signal) => app.checkpoints.makeLast(signal) },
  ];
}

const portsOf = ({ redis, gate, config: { cache } }: App) => ({
  redis,
  gate,
  keys: createKeys(`${cache.keyPrefix}:${cache.version}:`),
});
