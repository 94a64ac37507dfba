import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type RunningCluster, startCluster } from '../../infra/local/redis/start-cluster.ts';
import type { App } from '../../lib/app.ts';
import { testApp } from './app.ts';

/** An app on a Redis Cluster of its own, for the tests of the file or block that calls it. @param settings beside those. @returns the app, once they run. */
export function useClusterApp(settings: () => Promise<Readonly<Record<string, string>>> = async () => ({})): () => App {
  let dir: string;
  let cluster: RunningCluster;
  let app: App;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'riptide-cluster-app-'));
    cluster = await startCluster({ dir });
    app = await testApp({
      env: { REDIS_URL: cluster.url, PERSISTENCE_REDIS_CLUSTER_MODE: 'true', ...(await settings()) },
    });
  });
  afterAll(async () => {
    await app.close();
    await cluster.stop();
    await rm(dir, { recursive: true, force: true });
  });
  return () => app;
}
