/** An app whose Redis prefix and bucket nobody else uses: checkpoints are of all tenants there are. */
import { randomBytes } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { App } from '../../lib/app.ts';
import { type AppOptions, testApp } from './app.ts';
import { servers } from './servers.ts';

export interface StateApp {
  readonly app: App;
  /** Another process of the same service. @param env what is different there. */
  again(options?: AppOptions): Promise<App>;
  /** One whose Redis is empty, beside the same S3. */
  emptied(options?: AppOptions): Promise<App>;
}

const prefix = () => `state-${randomBytes(6).toString('hex')}`;

export async function stateApp({ env = {}, ...options }: AppOptions = {}): Promise<StateApp> {
  const bucket = await newBucket();
  const own = { PERSISTENCE_BLOBS_BUCKET: bucket, PERSISTENCE_CACHE_KEY_PREFIX: prefix() };
  const open = ({ env: changes = {}, ...others }: AppOptions = {}) =>
    testApp({ ...options, ...others, env: { ...own, ...env, ...changes } });
  return {
    app: await open(),
    again: open,
    emptied: ({ env: changes = {}, ...others } = {}) =>
      open({ ...others, env: { ...changes, PERSISTENCE_CACHE_KEY_PREFIX: prefix() } }),
  };
}

export async function newBucket(): Promise<string> {
  const { s3 } = servers();
  const bucket = `bucket-${randomBytes(8).toString('hex')}`;
  const client = new S3Client({
    endpoint: s3.url,
    region: s3.region,
    forcePathStyle: true,
    credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
  });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
  return bucket;
}

/** Runs the job until it has ended. @returns its result. @throws when it failed. */
export async function jobResult(app: App, id: string): Promise<Readonly<Record<string, unknown>>> {
  for (let passes = 0; passes < 100; passes++) {
    const job = await app.jobs.get(id);
    if (job.status === 'done') return job.result ?? {};
    if (job.status === 'failed' || job.status === 'cancelled')
      throw new Error(`The job ${job.status}: ${JSON.stringify(job.problem)}`);
    await app.jobs.run();
  }
  throw new Error('The job does not end');
}

/** A checkpoint that stands. @returns its job's result. */
export async function checkpoint(app: App, changes: { readonly cache?: boolean } = {}) {
  const job = await app.checkpoints.start({ type: 'manual', ...changes, inlineMs: 30_000 });
  return jobResult(app, job.id);
}
