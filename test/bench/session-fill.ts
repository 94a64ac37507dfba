/** Many sessions of one tenant, written by the service's own script, many to a round trip: one by one it would take minutes. */
import type { App } from '../../lib/app.ts';
import { type Caller, parseApiKey } from '../../lib/gate/caller.ts';
import { keyField } from '../../lib/gate/gate-fields.ts';
import { newSessionId } from '../../lib/ids.ts';
import { createKeys } from '../../lib/keys.ts';
import { createSession } from '../../lib/redis/bindings/session-write-scripts.ts';
import { runScripts, scriptCall } from '../../lib/redis/script.ts';
import type { NewSession } from '../../lib/sessions/session.ts';
import { newOperation, sessionKeys } from '../../lib/sessions/session-call.ts';
import { DATA_PREFIX } from '../../lib/sessions/session-format.ts';
import { sessionParts } from '../../lib/sessions/session-ids.ts';
import { metadataText } from '../../lib/sessions/session-rules.ts';
import { createSessionBudget } from '../../lib/sessions/spillover/budget/session-budget.ts';
import { createTenant, tenantRequest } from './create-tenant.ts';
import { sessionOf } from './session-shape.ts';

const BATCH = 250;
/** Between which nothing is cleaned. */
const [IDLE_MS, LIFE_MS] = [86_400_000, 30 * 86_400_000];
/** What a session is charged beyond what it is given. */
const CHARGED_BYTES = 1_024;
/** So that none stands in the way. */
const QUOTAS = { memory_bytes: 10_000_000_000, storage_bytes: 10_000_000_000 };
const CREATED = 1;
/** The gate's own answer stands before the script's. */
const OUTCOME = 7;

export const keysOfBench = ({ config: { cache } }: App) => createKeys(`${cache.keyPrefix}:${cache.version}:`);

/** @throws {Error} one was not created. */
async function fillSessions(
  app: App,
  caller: Caller,
  { from, to, session }: { readonly from: number; readonly to: number; session(user: number): NewSession },
): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let user = from; user < to; user += BATCH) {
    const users = Array.from({ length: Math.min(BATCH, to - user) }, (_, i) => user + i);
    const calls = users.map((each) => {
      const id = newSessionId(Date.now());
      ids.push(id);
      return createCall(app, caller, id, session(each));
    });
    for (const answer of await runScripts(app.redis, calls, { kind: 'write' })) {
      if (answer instanceof Error) throw answer;
      if (answer[OUTCOME] !== CREATED) throw new Error(`A session was not created: ${answer.slice(OUTCOME)}`);
    }
  }
  return ids;
}

function createCall(app: App, caller: Caller, id: string, { userId, metadata, data = new Map() }: NewSession) {
  const keys = keysOfBench(app);
  const { tenantId, keyHash } = caller;
  const { version = '', generation = 0 } = app.gate.knownContext(tenantId) ?? {};
  const { ulid, secret } = sessionParts(id);
  const { session, index, dead } = sessionKeys(keys, tenantId, generation, ulid);
  return scriptCall(createSession, {
    keys: { gate: keys.gate(tenantId), holds: keys.holds(tenantId), session, index, dead },
    args: {
      keyField: keyField(keyHash),
      scope: ' sessions:write ',
      context: version,
      carriedUs: '0',
      route: '',
      secret,
      user: userId ?? '',
      idleMs: IDLE_MS,
      lifeMs: LIFE_MS,
      op: newOperation(),
      meta: metadataText(metadata),
      place: '',
      fields: [...data].flatMap(([key, text]) => [DATA_PREFIX + key, text]),
    },
  });
}

export interface SessionTenant {
  readonly caller: Caller;
  /** Writes sessions of users `from` to `to`. @returns their ids, in order. */
  fill(from: number, to: number): Promise<readonly string[]>;
}

/** A new tenant whose quotas do not stand in the way. */
export async function newSessionTenant(app: App): Promise<Caller> {
  const quotas = { ...tenantRequest().quotas, ...QUOTAS };
  return parseApiKey((await createTenant(app, tenantRequest({ quotas }))).apiKey);
}

/** A new tenant that has room for so many sessions below the threshold. @param bytes of each, as of {@link sessionOf}. */
export async function startSessionTenant(
  app: App,
  { sessions, bytes = 1_024 }: { readonly sessions: number; readonly bytes?: number },
): Promise<SessionTenant> {
  const caller = await newSessionTenant(app);
  const { tenantId } = caller;
  // Its context is known then.
  await app.sessions.get(caller, newSessionId(Date.now()));
  const { config, redis } = app;
  const budget = createSessionBudget({ redis, keys: keysOfBench(app), config: config.spillover });
  const neededBytes = Math.ceil((sessions * (bytes + CHARGED_BYTES)) / config.spillover.thresholdRatio);
  const { raised } = await budget.grow(tenantId, { hotBytes: 0, shareBytes: 0, epoch: 0, neededBytes, maxBytes: null });
  if (!raised) throw new Error('The session memory is too small for the bench');
  const session = (user: number) => sessionOf(user, bytes);
  return { caller, fill: (from, to) => fillSessions(app, caller, { from, to, session }) };
}
