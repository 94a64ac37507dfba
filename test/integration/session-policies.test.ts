/** What a tenant's policies say of its sessions, and who is spared when a user's are ended. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { publicSessionId, sessionParts } from '../../lib/sessions/session-ids.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { auditSessions } from '../support/session-audit.ts';
import { otherSecret } from '../support/session-door.ts';

const USER = { userId: 'ada' };

describe.each(TRANSPORTS)('policies about one session over %s [S4 T3]', (transport) => {
  let app: App;
  beforeAll(async () => {
    app = await testApp({ transport });
  });

  const denied = async (action: string) => {
    const { tenant, caller } = await newTenant(app);
    const [frozen, other] = [await app.sessions.create(caller, USER), await app.sessions.create(caller, USER)];
    const resources = [`sessions/${publicSessionId(sessionParts(frozen.id).ulid)}`];
    const statements = [{ effect: 'deny' as const, actions: [action], resources }];
    await app.tenantPolicies.set(tenant.id, { default: 'allow', statements }, {});
    return { tenant, caller, frozen: frozen.id, other: other.id };
  };
  const DENIED = { status: 403, code: 'access_denied' };

  it('hold for its end, too, when all of its user’s are ended', async () => {
    const { tenant, caller, frozen, other } = await denied('sessions:write');
    await expect(app.sessions.terminate(caller, frozen)).rejects.toMatchObject(DENIED);
    for (const dry of [true, false]) {
      await expect(app.sessions.terminateUser(caller, 'ada', { dry })).rejects.toMatchObject(DENIED);
    }
    expect(await app.sessions.get(caller, other)).not.toBeNull();
    expect(await app.sessions.get(caller, frozen)).not.toBeNull();
    await app.sessions.create(caller, { userId: 'bob' });
    expect(await app.sessions.terminateUser(caller, 'bob')).toEqual({ terminated: 1, more: false });
    expect(await auditSessions(app, tenant.id)).toMatchObject({ sessions: 2 });
  });

  it('do not end it with what is denied of reading, and the other way round', async () => {
    const { caller, frozen } = await denied('sessions:read');
    await expect(app.sessions.get(caller, frozen)).rejects.toMatchObject(DENIED);
    expect(await app.sessions.terminateUser(caller, 'ada')).toEqual({ terminated: 2, more: false });
  });
});

describe.each(TRANSPORTS)('the session that is spared when its user’s are ended over %s [S4]', (transport) => {
  let app: App;
  beforeAll(async () => {
    app = await testApp({ transport });
  });

  const made = async () => {
    const { tenant, caller } = await newTenant(app);
    const [one] = [await app.sessions.create(caller, USER), await app.sessions.create(caller, USER)];
    return { tenant, caller, id: one.id };
  };

  it('is named by its whole id', async () => {
    const { tenant, caller, id } = await made();
    expect(await app.sessions.terminateUser(caller, 'ada', { except: id, dry: true })).toMatchObject({ terminated: 1 });
    expect(await app.sessions.terminateUser(caller, 'ada', { except: id })).toEqual({ terminated: 1, more: false });
    expect(await app.sessions.get(caller, id)).not.toBeNull();
    expect(await auditSessions(app, tenant.id)).toMatchObject({ sessions: 1 });
  });

  it('is none when who asks knows less than that: its public part, or the id it had before', async () => {
    const guessed = await made();
    const except = otherSecret(guessed.id);
    expect(await app.sessions.terminateUser(guessed.caller, 'ada', { except })).toEqual({ terminated: 2, more: false });
    expect(await app.sessions.get(guessed.caller, guessed.id)).toBeNull();
    const rotated = await made();
    await app.sessions.rotate(rotated.caller, rotated.id, {});
    const old = { except: rotated.id };
    expect(await app.sessions.terminateUser(rotated.caller, 'ada', { ...old, dry: true })).toMatchObject({
      terminated: 2,
    });
    expect(await app.sessions.terminateUser(rotated.caller, 'ada', old)).toEqual({ terminated: 2, more: false });
    expect(await auditSessions(app, rotated.tenant.id)).toMatchObject({ sessions: 0 });
  });
});
