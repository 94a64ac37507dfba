/** Who moves a session is late, and meanwhile everything happens to it: the late step finds that, and changes nothing. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { newUlid } from '../../lib/ids.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';
import { sessionParts } from '../../lib/sessions/session-ids.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { auditRecords } from '../support/audit-tenant.ts';
import { collectObjects, endClaims, sessionObjects, spillAll, texts } from '../support/spill-tools.ts';
import { keysOf } from '../support/tenant-state.ts';

const DATA = texts({ a: 1 });

describe.each(TRANSPORTS)('a step that comes late, over %s [P3 P4 S3]', (transport) => {
  let late: App;
  let app: App;
  let hook: FailpointHook = () => {};
  beforeAll(async () => {
    telemetry.logger.setLogLevel('SILENT');
    const env = { PERSISTENCE_CACHE_KEY_PREFIX: `race-${newUlid(Date.now())}` };
    app = await testApp({ transport, env });
    late = await testApp({ transport, env, failpoint: (call) => hook(call) });
  });
  beforeEach(() => {
    hook = () => {};
  });

  /** The call of that name waits until `meanwhile` is done, the first time. */
  const during = async <T>(name: string, work: () => Promise<T>, meanwhile: () => Promise<unknown>): Promise<T> => {
    let met = false;
    hook = async (call) => {
      if (met || call.phase !== 'before' || call.name !== name) return;
      met = true;
      await meanwhile();
    };
    const outcome = await work();
    expect(met).toBe(true);
    return outcome;
  };

  const newSession = async (tier: 'hot' | 'cold') => {
    const { caller } = await newTenant(app);
    const { id: session } = await app.sessions.create(caller, { userId: 'ada', data: DATA });
    if (tier === 'cold') await spillAll(app, caller.tenantId);
    return { caller, id: caller.tenantId, session };
  };

  /** What may happen to it. @returns its id then; null: it is no more. */
  const HAPPENS: Record<string, (caller: Caller, session: string) => Promise<string | null>> = {
    'is changed': async (caller, session) => {
      await app.sessions.update(caller, session, { set: texts({ b: 2 }) });
      return session;
    },
    'is changed and moved again': async (caller, session) => {
      await app.sessions.update(caller, session, { set: texts({ b: 2 }) });
      await spillAll(app, caller.tenantId);
      return session;
    },
    'gets a new id': async (caller, session) => (await app.sessions.rotate(caller, session))?.id ?? null,
    'gets a new id and is changed': async (caller, session) => {
      const id = (await app.sessions.rotate(caller, session))?.id ?? '';
      await app.sessions.update(caller, id, { set: texts({ b: 2 }) });
      return id;
    },
    'gets a longer life': async (caller, session) => {
      await app.sessions.touch(caller, session, { ttlMs: 3_600_000 });
      return session;
    },
    'is ended': async (caller, session) => {
      expect(await app.sessions.terminate(caller, session)).toBe(true);
      return null;
    },
    'is ended with all of its user': async (caller, session) => {
      await app.sessions.terminateUser(caller, 'ada');
      expect(await app.sessions.get(caller, session)).toBeNull();
      return null;
    },
  };

  const expectAsIf = async (caller: Caller, before: string, now: string | null, what: string) => {
    const { tenantId } = caller;
    if (now !== before) expect(await app.sessions.get(caller, before)).toBeNull();
    if (now !== null) {
      const found = await app.sessions.get(caller, now);
      expect(found?.data).toEqual(what.includes('changed') ? new Map([...DATA, ...texts({ b: 2 })]) : DATA);
      if (what === 'gets a longer life') expect(found?.ttlMs).toBe(3_600_000);
    }
    expect(await auditRecords(app, tenantId)).toMatchObject({ s: now === null ? 0 : 1 });
    expect((await collectObjects(app, tenantId)).length).toBeLessThanOrEqual(1);
    await auditRecords(app, tenantId);
  };

  describe.each(Object.entries(HAPPENS))('of a session that %s meanwhile', (what, happens) => {
    it.each(['put', 'stub-sessions'])('%s: nothing old takes its place', async (step) => {
      const { caller, id, session } = await newSession('hot');
      let now: string | null = session;
      await during(
        step,
        () => spillAll(late, id),
        async () => {
          now = await happens(caller, session);
        },
      );
      await expectAsIf(caller, session, now, what);
    });

    it.each(['get', 'restore-session'])(
      '%s: nothing old comes back, and who reads has what was there',
      async (step) => {
        const { caller, session } = await newSession('cold');
        let now: string | null = session;
        const read = await during(
          step,
          () => late.sessions.get(caller, session),
          async () => {
            now = await happens(caller, session);
          },
        );
        expect(read?.data).toEqual(DATA);
        await expectAsIf(caller, session, now, what);
      },
    );

    it('a change of one in S3 is made of what it is then, or not at all', async () => {
      const { caller, session } = await newSession('cold');
      let now: string | null = session;
      const changed = await during(
        'restore-session',
        () => late.sessions.update(caller, session, { set: texts({ late: true }) }),
        async () => {
          now = await happens(caller, session);
        },
      );
      if (now !== session) expect(changed).toBeNull();
      else expect((await app.sessions.get(caller, session))?.data.get('late')).toBe('true');
      if (now !== null && what.includes('changed'))
        expect((await app.sessions.get(caller, now))?.data.get('b')).toBe('2');
      expect(await auditRecords(app, caller.tenantId)).toMatchObject({ s: now === null ? 0 : 1 });
    });
  });

  it('who finds another object each time is told to ask again, and not that anything is damaged', async () => {
    const { caller, id, session } = await newSession('cold');
    let n = 0;
    hook = async ({ name, phase }) => {
      if (name !== 'get' || phase !== 'before') return;
      const old = await sessionObjects(app, id);
      await app.sessions.update(caller, session, { set: texts({ n: n++ }) });
      // As if it had taken longer than a claim lasts.
      await endClaims(app, id, [session]);
      await spillAll(app, id);
      await app.blobs.delete(old);
    };
    await expect(late.sessions.get(caller, session)).rejects.toMatchObject({ status: 503, retryAfterMs: 1_000 });
    hook = () => {};
    expect((await late.sessions.get(caller, session))?.data.get('n')).toBe(String(n - 1));
  });

  it('who waits for another to bring it back finds none once its id is another', async () => {
    const { caller, id, session } = await newSession('cold');
    const claim = keysOf(app).sessionClaim(id, 1, sessionParts(session).ulid);
    await app.redis.send(['SET', claim, 'another', 'PX', 60_000], { kind: 'write' });
    const read = await during(
      'peek-sessions',
      () => late.sessions.get(caller, session),
      async () => {
        const rotated = await app.sessions.rotate(caller, session);
        expect(await app.sessions.update(caller, rotated?.id ?? '', { set: texts({ b: 2 }) })).toMatchObject({
          version: 3,
        });
      },
    );
    expect(read).toBeNull();
  });
});
