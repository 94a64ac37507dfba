/** Sessions, and what moves them to S3 and back; loaded with their first call: a request of the cache reads none of it. */
import { lazily } from './lazily.ts';
import type { createSessionParts, SessionPartDeps } from './session-parts.ts';
import type { Sessions } from './sessions/sessions.ts';
import type { SpillTools } from './sessions/spillover/spill-tools.ts';

const SESSIONS = {
  get: true,
  create: true,
  update: true,
  touch: true,
  rotate: true,
  list: true,
  terminate: true,
  previewTerminate: true,
  terminateUser: true,
  prefetch: true,
  prefetchUser: true,
} as const;

export function createLazySessions(deps: SessionPartDeps) {
  let parts: Promise<ReturnType<typeof createSessionParts>> | undefined;
  const load = () => {
    parts ??= import('./session-parts.ts').then(({ createSessionParts }) => createSessionParts(deps));
    return parts;
  };
  return {
    sessions: lazily<Sessions>(SESSIONS, async () => (await load()).sessions()),
    spillTools: async (): Promise<SpillTools> => (await load()).spillTools(),
  };
}
