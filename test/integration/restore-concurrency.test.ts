/** While a restore runs callers read and write as fast as they can: each sees all of the old or all of the new, and loses nothing. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { AppError } from '../../lib/errors.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { newTenant, TRANSPORTS } from '../support/app.ts';
import { auditCache } from '../support/cache-audit.ts';
import { restore } from '../support/restoring.ts';
import { texts } from '../support/spill-tools.ts';
import { checkpoint, stateApp } from '../support/state-app.ts';
import { generationOf } from '../support/tenant-state.ts';

beforeAll(() => telemetry.logger.setLogLevel('SILENT'));

const META = { content_type: 'text/plain' };
const KEYS = Array.from({ length: 10 }, (_, i) => `k${i}`);
const named = (key: string) => ({ namespace: 'ns', key });
/** Of callers that ask while records are moved. */
const MAY_PASS = ['redis_unavailable', 'outcome_unknown'];

const setAll = (app: App, caller: Caller, value: string) =>
  app.cache.setMany(
    caller,
    'ns',
    KEYS.map((key) => ({ key, value: Buffer.from(value), meta: META, ttlMs: null, graceMs: 0 })),
  );

/** Until told to end. @throws what a caller may not be told. */
async function repeat(isOver: () => boolean, work: (n: number) => Promise<unknown>): Promise<number> {
  let n = 0;
  while (!isOver()) {
    await work(n++).catch((error: unknown) => {
      if (!(error instanceof AppError) || !MAY_PASS.includes(error.code)) throw error;
    });
  }
  return n;
}

describe.each(TRANSPORTS)('callers beside a restore, over %s [K3]', (transport) => {
  it('see all of the old or all of the new, in every reading; and never the old again', {
    timeout: 120_000,
  }, async () => {
    const { app, again } = await stateApp({ transport });
    const other = await again();
    const { caller } = await newTenant(app);
    await setAll(app, caller, 'then');
    const fill = Array.from({ length: 1_500 }, (_, i) => ({
      key: `f${i}`,
      value: Buffer.from('f'),
      meta: META,
      ttlMs: null,
      graceMs: 0,
    }));
    for (let i = 0; i < fill.length; i += 500) await app.cache.setMany(caller, 'ns', fill.slice(i, i + 500));
    const { checkpoint_id } = await checkpoint(app);
    await setAll(app, caller, 'now');
    let isOver = false;
    const read = async (from: App, seen: string[]) => {
      const found = await from.cache.getMany(caller, 'ns', KEYS);
      const values = new Set(
        found.map((item) => (item.status === 'hit' && 'value' in item.entry ? String(item.entry.value) : item.status)),
      );
      expect([...values], 'all of one time').toHaveLength(1);
      seen.push([...values][0] as string);
    };
    const single = async (from: App, seen: string[], n: number) => {
      const entry = await from.cache.get(caller, named(KEYS[n % KEYS.length] as string));
      seen.push(entry !== null && 'value' in entry ? entry.value.toString() : 'none');
    };
    const seens: string[][] = [[], [], [], []];
    const readers = [
      repeat(
        () => isOver,
        () => read(app, seens[0] as string[]),
      ),
      repeat(
        () => isOver,
        () => read(other, seens[1] as string[]),
      ),
      repeat(
        () => isOver,
        (n) => single(app, seens[2] as string[], n),
      ),
      repeat(
        () => isOver,
        (n) => single(other, seens[3] as string[], n),
      ),
    ];
    await restore(app, checkpoint_id as string).finally(() => {
      isOver = true;
    });
    await Promise.all(readers);
    for (const seen of seens) {
      const first = seen.indexOf('then');
      expect(seen.slice(0, first < 0 ? undefined : first).every((value) => value === 'now')).toBe(true);
      if (first >= 0) expect(seen.slice(first).every((value) => value === 'then')).toBe(true);
      expect(seen.length).toBeGreaterThan(5);
    }
    await auditCache(app, caller.tenantId);
  });

  it('lose nothing that they write: it is there afterwards, or in the checkpoint that undoes it', {
    timeout: 120_000,
  }, async () => {
    const { app, again } = await stateApp({ transport });
    const other = await again();
    const { caller } = await newTenant(app);
    for (let i = 0; i < 400; i++) await app.cache.set(caller, named(`f${i}`), { value: Buffer.from('f'), meta: META });
    const { checkpoint_id } = await checkpoint(app);
    let isOver = false;
    const written: string[] = [];
    const sessions: string[] = [];
    let counted = 0;
    const writers = [
      repeat(
        () => isOver,
        async (n) => {
          await app.cache.set(caller, named(`a${n}`), { value: Buffer.from('w'), meta: META });
          written.push(`a${n}`);
        },
      ),
      repeat(
        () => isOver,
        async (n) => {
          await other.cache.set(caller, named(`b${n}`), { value: Buffer.from('w'), meta: META });
          written.push(`b${n}`);
        },
      ),
      repeat(
        () => isOver,
        async () => {
          sessions.push((await other.sessions.create(caller, { userId: 'ada', data: texts({ a: 1 }) })).id);
        },
      ),
      repeat(
        () => isOver,
        async () => {
          await app.cache.increment(caller, named('count'), 1, { ttlMs: null, graceMs: 0 });
          counted++;
        },
      ),
    ];
    const result = await restore(app, checkpoint_id as string).finally(() => {
      isOver = true;
    });
    await Promise.all(writers);
    await auditCache(app, caller.tenantId);
    const isThere = async (key: string) => (await app.cache.get(caller, named(key))) !== null;
    const lives = async (id: string) => (await app.sessions.get(caller, id)) !== null;
    const countOf = async () => {
      const entry = await app.cache.get(caller, named('count'));
      return entry !== null && 'value' in entry ? Number(entry.value) : 0;
    };
    const after = await Promise.all(written.map(isThere));
    const sessionsAfter = await Promise.all(sessions.map(lives));
    const countAfter = await countOf();
    await restore(app, result.undo_checkpoint_id as string);
    const before = await Promise.all(written.map(isThere));
    const sessionsBefore = await Promise.all(sessions.map(lives));
    expect(
      written.filter((_, i) => after[i] === before[i]),
      'each is of one side',
    ).toEqual([]);
    expect(
      sessions.filter((_, i) => sessionsAfter[i] === sessionsBefore[i]),
      'each is of one side',
    ).toEqual([]);
    expect(countAfter + (await countOf())).toBe(counted);
    expect(before.filter(Boolean).length).toBeGreaterThan(0);
    expect(await generationOf(app, caller.tenantId)).toBe(3);
    await auditCache(app, caller.tenantId);
  });

  it('find what they wrote through one restore after another', { timeout: 120_000 }, async () => {
    const { app, again } = await stateApp({ transport });
    const other = await again();
    const { caller } = await newTenant(app);
    await setAll(app, caller, 'then');
    const { checkpoint_id } = await checkpoint(app);
    for (let i = 0; i < 5; i++) {
      let isOver = false;
      let generations = 0;
      // Each writes and reads at once: it is there, unless a switch came between.
      const loops = [app, other].map((on, who) =>
        repeat(
          () => isOver,
          async (n) => {
            const before = await generationOf(on, caller.tenantId);
            const key = `w${who}-${i}-${n}`;
            await on.cache.set(caller, named(key), { value: Buffer.from('w'), meta: META });
            const found = await on.cache.get(caller, named(key));
            if (found === null) expect(await generationOf(on, caller.tenantId)).not.toBe(before);
            else generations++;
          },
        ),
      );
      await restore(app, checkpoint_id as string).finally(() => {
        isOver = true;
      });
      await Promise.all(loops);
      expect(generations).toBeGreaterThan(0);
    }
    await auditCache(app, caller.tenantId);
  });
});
