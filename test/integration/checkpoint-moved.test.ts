/** Its name in the index moves: the walk may have met it twice, or not at all. */
import { describe, expect, it } from 'vitest';
import { newUlid } from '../../lib/ids.ts';
import { sessionParts } from '../../lib/sessions/session-ids.ts';
import { newTenant } from '../support/app.ts';
import { checkpointView, stateToolsOn } from '../support/checkpoint-view.ts';
import { texts } from '../support/spill-tools.ts';
import { stateApp } from '../support/state-app.ts';

describe('a session that gets another user while a checkpoint is made [K1 S4]', () => {
  it.each([
    ['z', 'a'],
    ['a', 'z'],
    ['a', 'm'],
  ] as const)('is there once: from %s to %s', async (from, to) => {
    const { app } = await stateApp();
    const { caller } = await newTenant(app);
    for (let i = 0; i < 300; i++) await app.sessions.create(caller, { userId: 'm', data: texts({ a: 1 }) });
    const { id } = await app.sessions.create(caller, { userId: from, data: texts({ a: 1 }) });
    const { writer, store } = stateToolsOn(app);
    const order = {
      id: `ckpt-${newUlid(Date.now())}`,
      type: 'manual',
      description: null,
      cache: true,
      tenants: null,
      configVersion: null,
    } as const;
    const signal = new AbortController().signal;
    let cursor = await writer.begin(order, signal);
    let looks = 3;
    cursor = await writer.step(order, cursor, { signal, isOver: () => looks-- <= 0 });
    expect(cursor.open).toHaveLength(1);
    await app.sessions.rotate(caller, id, { userId: to });
    while (cursor.phase !== 'done') cursor = await writer.step(order, cursor, { signal, isOver: () => false });
    const view = await checkpointView(app, (await store.getManifest(order.id)).tenants[0] as never);
    expect([...view.keys()].filter((key) => key.endsWith(sessionParts(id).ulid))).toHaveLength(1);
  });
});
