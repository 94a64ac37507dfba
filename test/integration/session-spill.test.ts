import { describe, expect, test } from 'vitest';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { auditSessions } from '../support/session-audit.ts';
import { spillToolsOn, texts } from '../support/spill-tools.ts';

describe.each(TRANSPORTS)('spilled sessions over %s [P1 P3 P4]', (transport) => {
  test('come back whole, and are touched, rotated and ended where they are', async () => {
    const app = await testApp({ transport });
    const { caller } = await newTenant(app);
    const ids: string[] = [];
    for (let i = 0; i < 25; i++) {
      const { id } = await app.sessions.create(caller, {
        userId: 'ada',
        metadata: { source: 'a' },
        data: texts({ i, text: 'x'.repeat(1000) }),
      });
      ids.push(id);
    }
    const tools = spillToolsOn(app);
    const place = { id: caller.tenantId, generation: 1 };
    const spilled = await tools.spiller.spillTo(place, 0, { maxBatches: 10 });
    expect(spilled).toMatchObject({ spilled: 25, hotBytes: 0 });
    expect(await auditSessions(app, caller.tenantId)).toMatchObject({ sessions: 25, spilled: 25 });
    const read = await app.sessions.get(caller, ids[3] as string);
    expect(read).toMatchObject({ userId: 'ada', metadata: { source: 'a' }, tier: 'cold' });
    expect(read?.data).toEqual(texts({ i: 3, text: 'x'.repeat(1000) }));
    expect(await app.sessions.get(caller, ids[3] as string)).toMatchObject({ tier: 'hot' });
    expect(await app.sessions.update(caller, ids[4] as string, { set: texts({ i: 44 }) })).toMatchObject({
      version: 2,
    });
    expect((await app.sessions.get(caller, ids[4] as string))?.data).toEqual(texts({ i: 44, text: 'x'.repeat(1000) }));
    const rotated = await app.sessions.rotate(caller, ids[5] as string);
    expect(rotated).toMatchObject({ metadata: { source: 'a' } });
    expect((await app.sessions.get(caller, rotated?.id as string))?.data.get('i')).toBe('5');
    expect(await app.sessions.terminate(caller, ids[6] as string)).toBe(true);
    expect(await app.sessions.get(caller, ids[6] as string)).toBeNull();
    expect(await app.sessions.touch(caller, ids[7] as string)).toMatchObject({ version: 1 });
    expect(await auditSessions(app, caller.tenantId)).toMatchObject({ sessions: 24, spilled: 21 });
    expect(await app.sessions.terminateUser(caller, 'ada')).toEqual({ terminated: 24, more: false });
    expect(await auditSessions(app, caller.tenantId)).toMatchObject({ sessions: 0, spilled: 0 });
  });
});
