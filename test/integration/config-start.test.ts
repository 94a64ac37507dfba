/** What only a start can take is taken by a start; and files that a host watches. */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, getApp } from '../../lib/app.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { startConfigWatch } from '../../lib/runtime-config/config-watch.ts';
import { testEnv } from '../support/app.ts';
import { change, putConfigFile, versionsOf, yamlOf } from '../support/config-service.ts';
import { pollUntil } from '../support/poll-until.ts';
import { stateApp } from '../support/state-app.ts';

let started: App | undefined;
let dir: string;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  telemetry.logger.setLogLevel('SILENT');
  dir = await mkdtemp(join(tmpdir(), 'riptide-config-'));
});
afterAll(async () => {
  await Promise.all(stops.map((stop) => stop()));
  await started?.close();
  await rm(dir, { recursive: true });
});

describe('a start [K6]', () => {
  it('takes all that the active version states, from its first request on', async () => {
    const { app } = await stateApp();
    const settings = { cache: { local_max_bytes: '3MB', default_ttl_seconds: 33 } };
    const { restartRequired } = await app.configReload.reload({ settings }, {}, false);
    expect(restartRequired).toEqual(['cache.local_max_bytes']);
    expect(app.config.cache.localMaxBytes).toBe(32 * 2 ** 20);

    const own = {
      PERSISTENCE_BLOBS_BUCKET: app.config.blobs.bucket,
      PERSISTENCE_CACHE_KEY_PREFIX: app.config.cache.keyPrefix,
    };
    Object.assign(process.env, testEnv('tcp', { ...own, PERSISTENCE_LOG_LEVEL: 'error' }));
    started = await getApp();
    telemetry.logger.setLogLevel('SILENT');
    expect(started.config.cache).toMatchObject({ localMaxBytes: 3 * 2 ** 20, defaultTtlMs: 33_000 });
    // What it started with stays, whatever becomes active later.
    await change(started, { cache: { local_max_bytes: null, default_ttl_seconds: 34 } });
    expect(started.config.cache).toMatchObject({ localMaxBytes: 3 * 2 ** 20, defaultTtlMs: 34_000 });
    const { restartRequired: again } = await started.configReload.reload({ settings: {} }, {}, true);
    expect(again).toEqual(['cache.local_max_bytes']);
  });
});

describe('a host that watches files [K6 G6]', () => {
  const watch = (app: App, ownFile: string, watched: readonly string[]) => {
    const { stop } = startConfigWatch({
      reload: app.configReload,
      blobs: app.blobs,
      ...{ ownFile, watched },
      onError: (error) => expect.fail(String(error)),
    });
    stops.push(stop);
    return stop;
  };
  const lifetimeOf = (app: App) => app.config.cache.defaultTtlMs / 1_000;

  it('takes a changed one, not a bad one, and the one in S3', async () => {
    const { app } = await stateApp();
    const file = join(dir, 'persistence.yml');
    await writeFile(file, yamlOf(1));
    const stop = watch(app, '', [dir]);
    // As an editor does it: beside the file, and renamed.
    await pollUntil(async () => {
      await writeFile(`${file}.new`, yamlOf(2));
      await rename(`${file}.new`, file);
      return pollUntil(async () => lifetimeOf(app) === 2, 2_500).then(
        () => true,
        () => false,
      );
    });
    await writeFile(file, 'persistence:\n  cache:\n    default_ttl_seconds: no');
    await putConfigFile(app, 'persistence:\n  cache:\n    eviction_policy: none\n');
    await pollUntil(async () => app.config.cache.evictionPolicy === 'none');
    expect(lifetimeOf(app)).toBe(2);
    await writeFile(file, yamlOf(3));
    await pollUntil(async () => lifetimeOf(app) === 3);
    await stop();
    expect(await versionsOf(app)).toEqual([3, 2, 1]);
  });

  it('takes its own at once, if it is another one than the last start’s; others only when they change', async () => {
    const { app, again } = await stateApp();
    const [own, other] = [join(dir, 'own.yml'), join(dir, 'other.yml')];
    await writeFile(own, yamlOf(10));
    await writeFile(other, yamlOf(20));
    await watch(app, own, [other]);
    await pollUntil(async () => lifetimeOf(app) === 10);
    const second = await again();
    await watch(second, own, [other]);
    await second.configLook.now();
    expect(lifetimeOf(second)).toBe(10);
    expect(await versionsOf(app)).toEqual([1]);
  });
});
