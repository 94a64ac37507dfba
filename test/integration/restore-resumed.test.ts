/** A restore whose process ends in its middle goes on elsewhere: each tenant is switched over once, and nothing written after that is lost. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import type { FailpointCall, FailpointHook } from '../../lib/redis/failpoints.ts';
import { newTenant, TRANSPORTS, type Transport } from '../support/app.ts';
import { auditCache } from '../support/cache-audit.ts';
import { endLease } from '../support/job-service.ts';
import { listedGenerations } from '../support/old-generation.ts';
import { KilledError } from '../support/random-faults.ts';
import { type RestoreResult, restore, startRestore } from '../support/restoring.ts';
import { spillToolsOn, texts } from '../support/spill-tools.ts';
import { checkpoint, jobResult, stateApp } from '../support/state-app.ts';
import { generationOf } from '../support/tenant-state.ts';

beforeAll(() => telemetry.logger.setLogLevel('SILENT'));

const META = { content_type: 'text/plain' };
const named = (key: string) => ({ namespace: 'ns', key });
const set = (app: App, caller: Caller, key: string, value: string, tags: readonly string[] = []) =>
  app.cache.set(caller, named(key), { value: Buffer.from(value), meta: { ...META, tags: [...tags] } });
const read = async (app: App, caller: Caller, key: string) => {
  const entry = await app.cache.get(caller, named(key));
  return entry !== null && 'value' in entry ? entry.value.toString() : null;
};

/** The app whose restore ends where `isEnd` says, for good; and one beside it. */
async function endingApp(transport: Transport, isEnd: (call: FailpointCall, nth: number) => boolean) {
  let armed = false;
  let isOver = false;
  let calls = 0;
  const failpoint: FailpointHook = (call) => {
    if (!armed || call.port === 'keys') return;
    if (call.phase === 'before') calls++;
    isOver ||= isEnd(call, calls);
    if (isOver) throw new KilledError('ended');
  };
  const { app, again } = await stateApp({ transport });
  const victim = await again({ failpoint });
  return {
    app,
    /** Until it ends. @returns the job's id. */
    async begin(checkpointId: string): Promise<string> {
      armed = true;
      await startRestore(victim, checkpointId).catch(() => null);
      expect(isOver, 'it met its end').toBe(true);
      const { items } = await app.jobs.list({ limit: 1 });
      return items[0]?.id as string;
    },
    async goOn(id: string): Promise<RestoreResult> {
      await endLease(app, id);
      return (await jobResult(app, id)) as unknown as RestoreResult;
    },
  };
}

const ENDS = {
  'after the switch': ({ name, phase }: FailpointCall) => name === 'flip-generation' && phase === 'after',
  'before its first save after the switch': (() => {
    return ({ name, phase }: FailpointCall) => name === 'save-job' && phase === 'before';
  })(),
} as const;

describe.each(TRANSPORTS)('a restore that ends and goes on, over %s [K3]', (transport) => {
  it.each(Object.keys(ENDS) as (keyof typeof ENDS)[])('%s: keeps what was written after it', async (end) => {
    let switched = false;
    const { app, begin, goOn } = await endingApp(transport, (call) => {
      switched ||= call.name === 'flip-generation' && call.phase === 'after';
      return switched && ENDS[end](call);
    });
    const { caller } = await newTenant(app);
    await set(app, caller, 'old', '1');
    await set(app, caller, 'other', '1');
    const { checkpoint_id } = await checkpoint(app);
    await set(app, caller, 'old', '2');
    const id = await begin(checkpoint_id as string);
    expect(await read(app, caller, 'old')).toBe('1');
    await set(app, caller, 'old', '3');
    await set(app, caller, 'new', '3');
    await app.cache.delete(caller, named('other'));
    const result = await goOn(id);
    expect(result.tenants).toMatchObject([{ outcome: 'restored', cache_entries: 2, sessions: 0 }]);
    expect(await read(app, caller, 'old')).toBe('3');
    expect(await read(app, caller, 'new')).toBe('3');
    expect(await read(app, caller, 'other')).toBe(null);
    expect(await generationOf(app, caller.tenantId)).toBe(2);
    expect(await listedGenerations(app, caller.tenantId)).toEqual([]);
    await auditCache(app, caller.tenantId);
    await restore(app, result.undo_checkpoint_id as string);
    expect(await read(app, caller, 'old')).toBe('2');
  });

  it('keeps what was written to a tenant that was put back into an empty Redis', async () => {
    const { app, emptied } = await stateApp({ transport });
    const { caller } = await newTenant(app);
    await set(app, caller, 'old', '1');
    const { checkpoint_id } = await checkpoint(app);
    let isOver = false;
    let armed = true;
    const empty = await emptied({
      transport,
      failpoint: ({ name, phase }) => {
        if (!armed) return;
        isOver ||= name === 'revive-tenant' && phase === 'after';
        if (isOver) throw new KilledError('ended');
      },
    });
    await startRestore(empty, checkpoint_id as string).catch(() => null);
    expect(isOver).toBe(true);
    armed = false;
    await set(empty, caller, 'old', '3');
    const id = (await empty.jobs.list({ limit: 1 })).items[0]?.id as string;
    await endLease(empty, id);
    expect(await jobResult(empty, id)).toMatchObject({ tenants: [{ outcome: 'revived', cache_entries: 1 }] });
    expect(await read(empty, caller, 'old')).toBe('3');
    expect(await generationOf(empty, caller.tenantId)).toBe(1);
    expect(await empty.tenantList.list({ limit: 10 } as never)).toMatchObject({ items: [{ id: caller.tenantId }] });
    await auditCache(empty, caller.tenantId);
  });

  it('undoes to what was written, removed and invalidated up to the moment of the switch', async () => {
    const { app, again } = await stateApp({ transport });
    const { caller } = await newTenant(app);
    for (const key of ['kept', 'changed', 'removed']) await set(app, caller, key, 'old');
    await set(app, caller, 'tagged', 'old', ['t']);
    const session = await app.sessions.create(caller, { userId: 'ada', data: texts({ a: 1 }) });
    const { checkpoint_id } = await checkpoint(app);
    let did = false;
    const victim = await again({
      failpoint: async ({ name, phase }) => {
        if (did || name !== 'begin-generation' || phase !== 'after') return;
        did = true;
        await set(app, caller, 'changed', 'late');
        await set(app, caller, 'added', 'late');
        await app.cache.delete(caller, named('removed'));
        await app.invalidation.invalidate(caller, { selector: { by: 'tags', tags: ['t'] }, dry: false });
        await app.sessions.update(caller, session.id, { set: texts({ a: 2 }) });
        const { coldest, spiller } = spillToolsOn(app);
        const place = { id: caller.tenantId, generation: 1 };
        await spiller.spill(place, await coldest.find(place, 1));
      },
    });
    const result = await restore(victim, checkpoint_id as string);
    expect(did).toBe(true);
    const keys = ['kept', 'changed', 'removed', 'added', 'tagged'];
    const all = async () =>
      Object.fromEntries(await Promise.all(keys.map(async (key) => [key, await read(app, caller, key)])));
    expect(await all()).toEqual({ kept: 'old', changed: 'old', removed: 'old', added: null, tagged: 'old' });
    await restore(app, result.undo_checkpoint_id as string);
    expect(await all()).toEqual({ kept: 'old', changed: 'late', removed: null, added: 'late', tagged: null });
    expect((await app.sessions.get(caller, session.id))?.data.get('a')).toBe('2');
    await auditCache(app, caller.tenantId);
  });
});
