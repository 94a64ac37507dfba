/** The tour: one act after the other, each with tenants of its own. */
import { CACHE_ACTS } from './cache/cache-acts.ts';
import { proveEncryption } from './prove-encryption.ts';
import { proveKeyRotation } from './prove-key-rotation.ts';
import { proveLimiter } from './prove-limiter.ts';
import { provePolicies } from './prove-policies.ts';
import { proveQuotas } from './prove-quotas.ts';
import { proveReservations } from './prove-reservations.ts';
import { proveWebhook } from './prove-webhook.ts';
import type { SessionFigures } from './sessions/figures.ts';
import { SESSION_ACTS } from './sessions/session-acts.ts';
import type { Act, Shown, Stage } from './stage.ts';

const ACTS: readonly Act[] = [
  ...CACHE_ACTS,
  proveQuotas,
  proveReservations,
  proveLimiter,
  provePolicies,
  proveEncryption,
  proveKeyRotation,
  proveWebhook,
  ...SESSION_ACTS,
];

export interface Tour extends Required<Omit<Shown, 'spill' | 'duels'>> {
  readonly sessions: SessionFigures;
}

/** @param onAct told of each act when it begins. @throws {BrokenClaimError} */
export async function runTour(stage: Stage, onAct: (title: string) => void): Promise<Tour> {
  const all: Shown[] = [];
  for (const act of ACTS) {
    stage.signal.throwIfAborted();
    onAct(act.title);
    all.push(await act.run(stage));
  }
  return {
    shown: all.flatMap(({ shown }) => shown),
    notShown: all.flatMap(({ notShown = [] }) => notShown),
    cacheFigures: all.flatMap(({ cacheFigures = [] }) => cacheFigures),
    quotasMet: all.flatMap(({ quotasMet = [] }) => quotasMet),
    sessions: {
      spill: all.find(({ spill }) => spill !== undefined)?.spill ?? null,
      duels: all.flatMap(({ duels = [] }) => duels),
    },
  };
}
