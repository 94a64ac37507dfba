/** Flows of the configuration at run time, and the calls each makes. */
import { expect } from 'vitest';
import type { App } from '../../../lib/app.ts';
import { newUlid } from '../../../lib/ids.ts';
import { pendingIn } from '../audit-state.ts';
import { change, putConfigFile, ttlOf, yamlOf } from '../config-service.ts';
import { newBucket } from '../state-app.ts';
import type { Flow } from './flow.ts';

/** Which is active is of a bucket, and so is the file. */
const settings = async () => ({ PERSISTENCE_BLOBS_BUCKET: await newBucket() });

let seconds = 1_000;
const TAKEN = ['GET', 'HMGET'] as const;
const SETTLED = ['blobs get', 'GET'] as const;
/** Looks what there is, makes a version, says that it is active, and puts it into Redis. */
const CHANGED = [...SETTLED, 'HMGET', 'blobs list', 'blobs get', 'blobs put', 'blobs put', 'activate-config'] as const;

async function expectActive(direct: App, version: number, ttlSeconds: number): Promise<void> {
  const standing = await direct.runtimeConfig.standing();
  expect(standing).toMatchObject({ version, canary: null });
  await direct.configLook.now();
  expect(direct.config.cache.defaultTtlMs).toBe(ttlSeconds * 1_000);
  const entries = (await pendingIn(direct))
    .map((entry) => JSON.parse(entry))
    .filter(({ action }) => action === 'config.activate');
  expect(new Set(entries.map(({ id }) => id)).size).toBe(entries.length);
  expect(entries.filter(({ details }) => details.version === version).length).toBeGreaterThan(0);
}

const reload: Flow = {
  name: 'change the configuration',
  calls: [...CHANGED, ...TAKEN],
  settings,
  async prepare(app, direct) {
    const ttl = ++seconds;
    const ulid = newUlid(Date.now());
    return {
      run: (signal) => app.configReload.reload({ settings: ttlOf(ttl) }, { ulid, signal }, false),
      async verify(result) {
        const { version } = result as { readonly version: number };
        await expectActive(direct, version, ttl);
        const entries = (await pendingIn(direct)).filter((entry) => entry.includes(ulid));
        expect(entries).toHaveLength(1);
      },
    };
  },
};

const takeFile: Flow = {
  name: 'take the configuration file in S3',
  calls: [...SETTLED, 'blobs get', ...CHANGED, ...TAKEN],
  settings,
  async prepare(app, direct) {
    const ttl = ++seconds;
    await putConfigFile(direct, yamlOf(ttl));
    return {
      run: (signal) => app.configReload.takeStored(signal),
      async verify() {
        const { version } = await direct.runtimeConfig.standing();
        await expectActive(direct, version, ttl);
      },
    };
  },
};

const activate: Flow = {
  name: 'go back to another version of the configuration',
  calls: [
    ...['HMGET', 'blobs get', ...SETTLED, 'HMGET'],
    ...[...SETTLED, 'HMGET', 'blobs get', 'blobs put', 'activate-config'],
    ...TAKEN,
  ],
  settings,
  async prepare(app, direct) {
    const ttl = ++seconds;
    const { version } = await change(direct, ttlOf(ttl));
    await change(direct, ttlOf(++seconds));
    const ulid = newUlid(Date.now());
    const how = { share: null, note: null, dryRun: false };
    return {
      run: (signal) => app.runtimeConfig.activate(version ?? -1, how, { ulid, signal }),
      verify: () => expectActive(direct, version ?? -1, ttl),
    };
  },
};

const take: Flow = {
  name: 'take another configuration on an instance',
  calls: TAKEN,
  settings,
  async prepare(app, direct) {
    const ttl = ++seconds;
    await change(direct, ttlOf(ttl));
    return {
      run: (signal) => app.configLook.now(signal),
      verify: async () => expect(app.config.cache.defaultTtlMs).toBe(ttl * 1_000),
    };
  },
};

const read: Flow = {
  name: 'read the versions of the configuration',
  calls: [...SETTLED, 'blobs list', 'blobs get', 'HMGET', ...SETTLED, 'HMGET'],
  settings,
  async prepare(app, direct) {
    const { version } = await change(direct, ttlOf(++seconds));
    return {
      async run(signal) {
        const { items } = await app.configVersions.list({ limit: 1 }, signal);
        return [items, await app.configVersions.get(version ?? -1, signal)];
      },
      verify: async (result) => expect(result).toMatchObject([[{ version }], { version, active: true }]),
    };
  },
};

export const configFlows: readonly Flow[] = [reload, takeFile, activate, take, read];
