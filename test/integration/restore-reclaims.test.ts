/** While many tenants are restored, what was replaced of those that are done goes: Redis does not hold all of them twice. */
import { describe, expect, it } from 'vitest';
import { BEGINS } from '../../lib/checkpoints/restore/restore-cursor.ts';
import type { StepContext } from '../../lib/checkpoints/restore/restore-job.ts';
import { newCheckpointId, newUlid } from '../../lib/ids.ts';
import { newTenant } from '../support/app.ts';
import { stateToolsOn } from '../support/checkpoint-view.ts';
import { checkpoint, stateApp } from '../support/state-app.ts';
import { keysOf } from '../support/tenant-state.ts';

const META = { content_type: 'text/plain' };

describe('a restore of several tenants [K3]', () => {
  it('reclaims what it has replaced before it goes on with the next step', async () => {
    const { app } = await stateApp();
    const tenants = await Promise.all([newTenant(app), newTenant(app), newTenant(app)]);
    const name = { namespace: 'ns', key: 'k' };
    for (const { caller } of tenants) await app.cache.set(caller, name, { value: Buffer.from('v'), meta: META });
    const { checkpoint_id } = await checkpoint(app);
    const { store, restoring } = stateToolsOn(app);
    const manifest = await store.getManifest(checkpoint_id as string);
    const [safety, late] = [newCheckpointId(newUlid(Date.now())), newCheckpointId(newUlid(Date.now()))];
    const context: StepContext = {
      params: {
        checkpoint: manifest.header.id,
        scope: { kind: 'all' },
        dry_run: false,
        sessions: 'known',
        cache: true,
        safety,
        late,
      },
      manifest,
      lines: manifest.tenants,
      signal: new AbortController().signal,
      isOver: () => false,
    };
    // A step that is over when one tenant is done.
    const first = await restoring.load(
      { ...BEGINS, phase: 'load' },
      { ...context, lines: context.lines.slice(0, 1) },
      async () => {},
    );
    const saved = { ...first, phase: 'load' as const, after: context.lines[0]?.tenant ?? null };
    const generationsOf = async (at: number) => {
      const id = context.lines[at]?.tenant as never;
      return app.redis.send(['ZCARD', keysOf(app).generations(id)], { kind: 'read' });
    };
    expect(await generationsOf(0)).toBe(1);
    const next = await restoring.reclaimDone(saved, context);
    expect(next.reclaimed).toBe(saved.after);
    expect(await generationsOf(0)).toBe(0);
    // Again, and when its time is over, it changes nothing.
    expect(await restoring.reclaimDone(next, context)).toEqual(next);
    const loaded = await restoring.load(next, context, async () => {});
    expect([await generationsOf(1), await generationsOf(2)]).toEqual([1, 1]);
    expect(
      (await restoring.reclaimDone({ ...loaded, after: saved.after }, { ...context, isOver: () => true })).reclaimed,
    ).toBe(saved.after);
    expect((await restoring.reclaim(loaded, context)).phase).toBe('done');
    expect([await generationsOf(1), await generationsOf(2)]).toEqual([0, 0]);
    for (const { caller } of tenants) expect(await app.cache.get(caller, name)).not.toBeNull();
  });
});
