/** What sessions are made of, each part loaded with its first call. Loaded itself with the first call of any: lazy-sessions.ts. */

import type { AdministrationDeps } from './administration.ts';
import type { MakeRoom } from './cache/memory/make-room.ts';
import { createTenantCipher } from './crypto/tenant-cipher.ts';
import type { Gate } from './gate/gate.ts';
import { hostRuns } from './jobs/host-runs.ts';
import { createRunNow } from './jobs/run-now.ts';
import { functionOf } from './jobs/start-run.ts';
import { lazily } from './lazily.ts';
import type { Sessions } from './sessions/sessions.ts';
import type { ColdCreation } from './sessions/spillover/cold-creation.ts';
import type { ColdReads } from './sessions/spillover/cold-reads.ts';
import type { Restorer } from './sessions/spillover/restorer.ts';
import type { SessionRoom } from './sessions/spillover/session-room.ts';
import type { SpillTools } from './sessions/spillover/spill-tools.ts';

export interface SessionPartDeps extends Omit<AdministrationDeps, 'spillTools'> {
  readonly gate: Gate;
  readonly evict: MakeRoom;
  /** Unix ms of a clock that never goes back. */
  readonly nowMs: () => number;
}

export function createSessionParts(deps: SessionPartDeps) {
  const { config, dataKeys, tenantKeys, telemetry, nowMs } = deps;
  const lambda = functionOf(process.env.RIPTIDE_SPILL_FUNCTION);
  const runNow = createRunNow({ hostRuns, lambda, telemetry, nowMs });
  let tools: Promise<SpillTools> | undefined;
  const spillTools = (): Promise<SpillTools> => {
    tools ??= import('./sessions/spillover/spill-tools.ts').then(({ createSpillTools }) =>
      createSpillTools({ ...deps, runNow }),
    );
    return tools;
  };
  const sessions = async (): Promise<Sessions> =>
    (await import('./sessions/sessions.ts')).createSessions({
      ...deps,
      cipher: createTenantCipher({ dataKeys, tenantKeys }),
      coldCreation: lazily<ColdCreation>({ write: true }, async () => (await spillTools()).coldCreation),
      cold: lazily<ColdReads>({ read: true }, async () => (await spillTools()).cold),
      restorer: lazily<Pick<Restorer, 'bringBack' | 'offer'>>(
        { bringBack: true, offer: true },
        async () => (await spillTools()).restorer,
      ),
      room: lazily<Pick<SessionRoom, 'make' | 'noteWrite' | 'growToFit'>>(
        { make: true, noteWrite: true, growToFit: true },
        async () => (await spillTools()).room,
      ),
      secret: config.admin.keySha256,
    });
  return { sessions, spillTools };
}
