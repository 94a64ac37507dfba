/** Versions of the configuration as several warm instances see them: at once, under load, and after Redis was lost. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { App } from '../../lib/app.ts';
import { CONFIG_ACTIVE, CONFIG_FILE } from '../../lib/keys.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { createConfigLook } from '../../lib/runtime-config/config-look.ts';
import { newTenant } from '../support/app.ts';
import { pendingIn } from '../support/audit-state.ts';
import { asRequest, change, putConfigFile, ttlOf, versionsOf, yamlOf } from '../support/config-service.ts';
import { pollUntil } from '../support/poll-until.ts';
import { type StateApp, stateApp } from '../support/state-app.ts';
import { keysOf } from '../support/tenant-state.ts';

const META = { content_type: 'text/plain' };

beforeAll(() => telemetry.logger.setLogLevel('SILENT'));

/** Three warm instances: each has looked once. */
async function instances(): Promise<{ readonly state: StateApp; readonly apps: readonly App[] }> {
  const state = await stateApp();
  const apps = [state.app, await state.again({ transport: 'rest' }), await state.again()];
  await Promise.all(apps.map((app) => app.configLook.atStart()));
  return { state, apps };
}

describe('warm instances [K6]', () => {
  it('take another configuration within 5 seconds, while requests go on and none fails', async () => {
    const { apps } = await instances();
    const [maker] = apps as [App];
    const { caller, tenant } = await newTenant(maker);
    const write = (app: App, key: string) =>
      asRequest(app, caller.tenantId, async () => {
        await app.cache.set(caller, { namespace: 'c', key }, { value: Buffer.from('v'), meta: META });
        return app.config.cache.defaultTtlMs;
      });
    let requests = 0;
    for (const seconds of [500, 600, 700]) {
      await change(maker, ttlOf(seconds));
      const waits = apps.map((app) =>
        pollUntil(async () => {
          const seen = await Promise.all([1, 2, 3].map(() => write(app, `k${++requests}`)));
          return seen.every((ttlMs) => ttlMs === seconds * 1_000);
        }, 5_000),
      );
      await Promise.all(waits);
    }
    expect(requests).toBeGreaterThan(200);
    expect(tenant.id).toBe(caller.tenantId);
  });

  it('look at most every two seconds beside requests, and wait for a look only where the last one is old', async () => {
    const { app } = await stateApp();
    await change(app, ttlOf(100));
    const clock = { ms: 0 };
    const taken: (string | null)[] = [];
    const apply = async (text: string | null) => void taken.push(text);
    const look = createConfigLook({
      redis: app.redis,
      keys: keysOf(app),
      isOn: () => true,
      apply,
      nowMs: () => clock.ms,
    });
    // The first waits; so does one after a freeze.
    await look.beforeRequest();
    expect(taken).toEqual([expect.stringMatching(/^a1,1,1,-,0$/)]);
    expect(look.beforeRequest()).toBeUndefined();

    await change(app, ttlOf(101));
    clock.ms = 1_999;
    expect(look.beforeRequest()).toBeUndefined();
    clock.ms = 2_000;
    expect(look.beforeRequest()).toBeUndefined();
    await pollUntil(async () => taken.length === 2);

    await change(app, ttlOf(102));
    clock.ms += 60_000;
    await look.beforeRequest();
    expect(taken).toHaveLength(3);
  });

  it('wait for a look a quarter of a second of each second only, where Redis does not answer', async () => {
    const { state } = await instances();
    const { promise: never } = Promise.withResolvers<void>();
    const hanging = await state.again({ failpoint: () => never });
    const clock = { ms: 0 };
    const deps = { redis: hanging.redis, keys: keysOf(hanging), isOn: () => true, apply: async () => {} };
    const look = createConfigLook({ ...deps, nowMs: () => clock.ms });
    expect(look.beforeRequest()).toBeInstanceOf(Promise);
    clock.ms = 249;
    expect(look.beforeRequest()).toBeInstanceOf(Promise);
    clock.ms = 250;
    expect(look.beforeRequest()).toBeUndefined();
    clock.ms = 1_000;
    expect(look.beforeRequest()).toBeInstanceOf(Promise);
  });

  it('go on with what they have where Redis does not answer, or a version is nowhere', async () => {
    const { state, apps } = await instances();
    const [maker, , other] = apps as [App, App, App];
    await change(maker, ttlOf(200));
    await other.configLook.now();
    const keys = keysOf(maker);
    await maker.redis.send(['SET', keys.configActive(), 'a1,9,9,-,0'], { kind: 'write' });
    await expect(other.configLook.now()).rejects.toThrow('not stored');
    await maker.redis.send(['SET', keys.configActive(), 'what is this'], { kind: 'write' });
    await expect(other.configLook.now()).rejects.toThrow('Not an active configuration');
    expect(other.config.cache.defaultTtlMs).toBe(200_000);
    const away = await state.again({
      failpoint: ({ name }) => {
        if (name === 'GET') throw new Error('away');
      },
    });
    await away.configLook.atStart();
    expect(away.config.cache.defaultTtlMs).toBe(86_400_000);
  });

  it('have it back after Redis was lost, with its entry in the audit log, and others may follow', async () => {
    const { state, apps } = await instances();
    const [maker] = apps as [App];
    await change(maker, ttlOf(300));
    await change(maker, ttlOf(301), { tenant_share: 0.5 });
    const emptied = await state.emptied();
    await emptied.configReload.takeStored();
    await emptied.configLook.now();
    expect(emptied.config.cache.defaultTtlMs).toBe(300_000);
    expect((await emptied.runtimeConfig.standing()).canary).toEqual({ version: 2, share: 0.5 });
    expect((await pendingIn(emptied)).filter((entry) => entry.includes('config.activate'))).toHaveLength(1);
    await emptied.runtimeConfig.activate(2, { share: null, note: null, dryRun: false }, {});
    expect((await emptied.runtimeConfig.standing()).rev).toBe(3);
  });

  it('make a new beginning of what Redis knows where S3 has lost which is active', async () => {
    const { app } = await stateApp();
    await change(app, ttlOf(300));
    await app.blobs.delete([CONFIG_ACTIVE]);
    await change(app, ttlOf(301));
    expect(await app.runtimeConfig.standing()).toMatchObject({ rev: 2, version: 2 });
    expect(app.config.cache.defaultTtlMs).toBe(301_000);
  });

  it('agree on one order when many change it at once', async () => {
    const { apps } = await instances();
    const [maker] = apps as [App];
    const made = await Promise.all(
      Array.from({ length: 6 }, (_, i) => change(apps[i % 3] as App, { spillover: { batch_size: 20 + i } })),
    );
    // Who was overtaken has made another: numbers are left out, changes are not.
    const versions = made.map(({ version }) => version);
    expect(new Set(versions).size).toBe(6);
    const { version, rev } = await maker.runtimeConfig.standing();
    expect(rev).toBe(6);
    expect(versions).toContain(version);
    await Promise.all(apps.map((app) => app.configLook.now()));
    expect(new Set(apps.map(({ config }) => config.spillover.batchSize)).size).toBe(1);
  });
});

describe('the file in S3 [K6 G6]', () => {
  it('makes one version, however many instances see it', async () => {
    const { apps } = await instances();
    const [maker] = apps as [App];
    await putConfigFile(maker, yamlOf(400));
    const outcomes = await Promise.all([...apps, ...apps].map((app) => app.configReload.takeStored()));
    expect(outcomes.map(({ outcome }) => outcome)).toContain('taken');
    expect(await versionsOf(maker)).toEqual([1]);
    await Promise.all(apps.map((app) => app.configLook.now()));
    expect(apps.map(({ config }) => config.cache.defaultTtlMs)).toEqual([400_000, 400_000, 400_000]);
    expect(await maker.configReload.takeStored()).toEqual({ outcome: 'unchanged' });
  });

  it('is refused as a whole where something in it is bad, and told with every problem; the old one stays', async () => {
    const { app } = await stateApp();
    await putConfigFile(app, yamlOf(400));
    await app.configReload.takeStored();
    const told = vi.spyOn(telemetry.logger, 'error');
    await putConfigFile(
      app,
      'persistence:\n  cache:\n    default_ttl_seconds: 0\n    eviction_policy: hope\n  cash: {}\n',
    );
    const { outcome } = await app.configReload.takeStored();
    expect(outcome).toBe('refused');
    expect(told.mock.lastCall?.[1]).toMatchObject({
      problems: [
        expect.stringContaining('no such setting: cash'),
        expect.stringContaining('default_ttl_seconds'),
        expect.stringContaining('eviction_policy'),
      ],
    });
    expect(app.config.cache.defaultTtlMs).toBe(400_000);
  });

  it('does not undo a rollback, nor what requests have set; and what it no longer states is as deployed', async () => {
    const { app } = await stateApp();
    await putConfigFile(app, `${yamlOf(400)}    eviction_policy: none\n`);
    await app.configReload.takeStored();
    await app.runtimeConfig.activate(0, { share: null, note: null, dryRun: false }, {});
    expect(await app.configReload.takeStored()).toEqual({ outcome: 'unchanged' });
    expect(app.config.cache.defaultTtlMs).toBe(86_400_000);

    await change(app, ttlOf(50));
    await putConfigFile(app, `${yamlOf(401)}    eviction_policy: none\n`);
    expect(await app.configReload.takeStored()).toEqual({ outcome: 'taken' });
    expect(app.config.cache).toMatchObject({ defaultTtlMs: 50_000, evictionPolicy: 'none' });
    await app.blobs.delete([CONFIG_FILE]);
    expect(await app.configReload.takeStored()).toEqual({ outcome: 'taken' });
    expect(app.config.cache).toMatchObject({ defaultTtlMs: 50_000, evictionPolicy: 'lru' });
  });

  it('does not undo a rollback either where it last changed in nothing that matters', async () => {
    const { app } = await stateApp();
    await putConfigFile(app, yamlOf(400));
    await app.configReload.takeStored();
    await putConfigFile(app, `# As agreed\n${yamlOf(400)}`);
    expect(await app.configReload.takeStored()).toEqual({ outcome: 'unchanged' });
    await app.runtimeConfig.activate(0, { share: null, note: null, dryRun: false }, {});
    expect(await app.configReload.takeStored()).toEqual({ outcome: 'unchanged' });
    expect(app.config.cache.defaultTtlMs).toBe(86_400_000);
    expect(await versionsOf(app)).toEqual([1]);
  });

  it('states what holds once a request takes back what it had set over it', async () => {
    const { app } = await stateApp();
    await change(app, ttlOf(50));
    await putConfigFile(app, yamlOf(400));
    expect(await app.configReload.takeStored()).toEqual({ outcome: 'taken' });
    expect(app.config.cache.defaultTtlMs).toBe(50_000);
    await change(app, { cache: { default_ttl_seconds: null } });
    expect(app.config.cache.defaultTtlMs).toBe(400_000);
  });

  it('is refused where it is far too large, by who asks and by who looks', async () => {
    const { app } = await stateApp();
    await putConfigFile(app, `${yamlOf(400)}${'#'.repeat(1_048_576)}`);
    await expect(app.configReload.reload({}, {}, false)).rejects.toMatchObject({
      code: 'config_refused',
      issues: [{ field: 'persistence.yml', message: 'expected at most 1048576 bytes' }],
    });
    expect(await app.configReload.takeStored()).toEqual({ outcome: 'refused' });
  });

  it('waits while another configuration is tried, and is taken afterwards', async () => {
    const { app } = await stateApp();
    await change(app, ttlOf(60), { tenant_share: 0.2 });
    await putConfigFile(app, yamlOf(400));
    expect(await app.configReload.takeStored()).toEqual({ outcome: 'waits' });
    await app.runtimeConfig.activate(0, { share: null, note: null, dryRun: false }, {});
    expect(await app.configReload.takeStored()).toEqual({ outcome: 'taken' });
    expect(app.config.cache.defaultTtlMs).toBe(400_000);
  });

  it('does not win over the environment', async () => {
    const { app } = await stateApp({ env: { PERSISTENCE_CACHE_DEFAULT_TTL_SECONDS: '11' } });
    await putConfigFile(app, yamlOf(400));
    const { ignored, changes } = await app.configReload.reload({}, {}, false);
    expect({ ignored, changes }).toEqual({ ignored: ['cache.default_ttl_seconds'], changes: [] });
    await change(app, ttlOf(12));
    expect(app.config.cache.defaultTtlMs).toBe(12_000);
  });
});
