/** What is done when all requests have ended and nothing is written any more, before the connections are closed; in this order. */
import type { App } from '../app.ts';
import type { StopStep } from './stop-steps.ts';

/**
 * A line each. `timeoutMs` is within what is left of `state.shutdown_timeout_seconds`: a third of it at least, unless those
 * before took it.
 */
export function beforeCloseSteps(_app: App): readonly StopStep[] {
  return [];
}
