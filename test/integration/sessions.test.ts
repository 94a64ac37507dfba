import { describe, expect, test } from 'vitest';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { texts } from '../support/spill-tools.ts';

describe.each(TRANSPORTS)('sessions over %s [S1 S2 S3 S4]', (transport) => {
  test('are made, read, changed, given a new id, listed and ended for good', async () => {
    const app = await testApp({ transport });
    const { caller } = await newTenant(app);
    const made = await app.sessions.create(caller, {
      userId: 'ada',
      metadata: { client_ip: '10.0.0.1', user_agent: 'tests' },
      data: texts({ cart: [1, 2], name: 'x' }),
    });
    const read = await app.sessions.get(caller, made.id);
    expect(read).toEqual({ ...made, lastAccessedAtMs: read?.lastAccessedAtMs, expiresAtMs: read?.expiresAtMs });
    expect(await app.sessions.update(caller, made.id, { set: texts({ cart: [3] }), remove: ['name'] })).toMatchObject({
      version: 2,
    });
    expect((await app.sessions.get(caller, made.id))?.data).toEqual(texts({ cart: [3] }));
    await expect(app.sessions.update(caller, made.id, { set: texts({ a: 1 }), ifVersion: 1 })).rejects.toMatchObject({
      code: 'version_conflict',
    });
    expect(await app.sessions.touch(caller, made.id)).toMatchObject({ version: 2 });
    const rotated = await app.sessions.rotate(caller, made.id, { userId: 'bob' });
    expect(rotated).toMatchObject({ version: 3, userId: 'bob' });
    expect(await app.sessions.get(caller, made.id)).toBeNull();
    expect((await app.sessions.get(caller, rotated?.id as string))?.data).toEqual(texts({ cart: [3] }));
    expect((await app.sessions.list(caller, 'bob', { limit: 10 })).items).toHaveLength(1);
    expect((await app.sessions.list(caller, 'ada', { limit: 10 })).items).toHaveLength(0);
    expect(await app.sessions.terminate(caller, rotated?.id as string)).toBe(true);
    expect(await app.sessions.get(caller, rotated?.id as string)).toBeNull();
    expect(await app.sessions.terminate(caller, rotated?.id as string)).toBe(true);
    await expect(app.sessions.create(caller, { id: rotated?.id })).rejects.toMatchObject({
      code: 'session_terminated',
    });
  });
});
