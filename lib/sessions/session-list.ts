/** Lists the sessions of a user, through the gate. */
import type { Caller } from '../gate/caller.ts';
import type { TenantContext } from '../gate/context-format.ts';
import type { Gate } from '../gate/gate.ts';
import { escapeControls, type Keys } from '../keys.ts';
import { listSessions, peekSessions } from '../redis/bindings/session-read-scripts.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { runScript } from '../redis/script.ts';
import type { SessionInfo } from './session.ts';
import { META_FIELD, parseHotSession, parseSessionStub } from './session-format.ts';
import { toInfo } from './session-reader.ts';
import { requireUserId } from './session-rules.ts';
import type { SessionValues } from './session-values.ts';

export interface SessionPage {
  readonly items: readonly SessionInfo[];
  /** The last ULID looked at; null: there is no more. */
  readonly nextCursor: string | null;
}

export type SessionList = ReturnType<typeof createSessionList>;

export function createSessionList(deps: {
  readonly gate: Pick<Gate, 'run'>;
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly values: SessionValues;
}) {
  const { gate, redis, keys, values } = deps;

  const infoOf = async (
    caller: Caller,
    context: TenantContext,
    ulid: string,
    stored: string | readonly string[],
  ): Promise<SessionInfo> => {
    const cold = typeof stored === 'string';
    const { head, meta } = cold ? parseSessionStub(stored) : parseHotSession(stored);
    const text = meta === '' ? '' : await values.open(caller.tenantId, context, ulid, [META_FIELD, meta]);
    const { data: _none, ...info } = toInfo(head, { ulid }, { data: null, meta: text });
    return { ...info, tier: cold ? 'cold' : 'hot' };
  };

  return {
    /**
     * One page of a user's sessions, in the order they were created; also such as expired within the last minutes are left out.
     * Two round trips. @throws {InvalidRequestError} not a user id.
     */
    async list(
      caller: Caller,
      userId: string,
      { cursor, limit }: { readonly cursor?: string | undefined; readonly limit: number },
    ): Promise<SessionPage> {
      requireUserId(userId);
      const { tenantId, signal } = caller;
      const { found, context, nowMs } = await gate.run(caller, {
        script: listSessions,
        scope: 'sessions:read',
        kind: 'read',
        resource: 'sessions/*',
        keys: ({ generation }) => ({ index: keys.index(tenantId, generation) }),
        args: () => ({ user: escapeControls(userId), after: cursor ?? '', limit }),
      });
      const ulids = found as readonly string[];
      if (ulids.length === 0) return { items: [], nextCursor: null };
      const stored = await runScript(redis, peekSessions, {
        keys: { sessions: ulids.map((ulid) => keys.session(tenantId, context.generation, ulid)) },
        args: { what: 'heads' },
        kind: 'read',
        signal,
      });
      const items: SessionInfo[] = [];
      for (const [i, session] of stored.entries()) {
        if (session === null) continue;
        const info = await infoOf(caller, context, ulids[i] as string, session);
        if (info.userId === userId && info.expiresAtMs > nowMs) items.push(info);
      }
      return { items, nextCursor: ulids.length < limit ? null : (ulids.at(-1) as string) };
    },
  };
}
