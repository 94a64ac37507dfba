import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMasterKeyFile } from '../../lib/crypto/make-master-key.ts';
import { writeFixtureService } from '../support/fixture-service.ts';
import { startService } from '../support/start-service.ts';

const START = new URL('../../infra/local/start.ts', import.meta.url).pathname;
const FUNCTIONS = { live: { events: ['GET /health/live'], body: "return { statusCode: 200, body: 'live' };" } };

let serviceFile: string;
let dataDir: string;
let outside: string;

beforeAll(async () => {
  serviceFile = await writeFixtureService(FUNCTIONS);
});
afterAll(() => rm(dirname(serviceFile), { recursive: true }));
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'riptide-start-key-'));
  outside = await mkdtemp(join(tmpdir(), 'riptide-master-key-'));
});
afterEach(async () => {
  for (const dir of [dataDir, outside]) await rm(dir, { recursive: true, force: true });
});

const start = (env: Record<string, string> = {}) => startService({ dataDir, args: ['--service', serviceFile], env });

/** A start that ends by itself: its exit code and what it said. */
async function startToEnd(env: Record<string, string> = {}): Promise<{ code: number | null; said: string }> {
  const own = { PORT: '0', RIPTIDE_DATA_DIR: dataDir, ...env };
  const child = spawn(process.execPath, [START, '--service', serviceFile], {
    env: { ...process.env, ...own },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk) => (said += chunk));
  const [code] = await once(child, 'close');
  return { code, said };
}

/** Every object of the data folder, by name. */
const objects = async () => (await readdir(join(dataDir, 's3'), { recursive: true })).sort();

describe('npm start and its master key [T8]', () => {
  it('runs a KMS of its own, whose key outlives a restart', async () => {
    const keyOf = async ({ settings }: Awaited<ReturnType<typeof start>>) => {
      const client = new KMSClient({
        endpoint: settings.PERSISTENCE_ENCRYPTION_KMS_ENDPOINT ?? '',
        region: settings.AWS_REGION ?? '',
        credentials: {
          accessKeyId: settings.AWS_ACCESS_KEY_ID ?? '',
          secretAccessKey: settings.AWS_SECRET_ACCESS_KEY ?? '',
        },
      });
      const KeyId = settings.PERSISTENCE_ENCRYPTION_KMS_KEY_ID;
      const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId })).finally(() => client.destroy());
      return KeyMetadata?.Arn;
    };
    const first = await start();
    const arn = await keyOf(first);
    expect(arn).toMatch(/^arn:aws:kms:/);
    expect((await stat(join(dataDir, 'kms/keys.json'))).mode & 0o777).toBe(0o600);
    expect(await first.stop()).toBe(0);
    const second = await start();
    expect(await keyOf(second)).toBe(arn);
    await second.stop();
  });

  it('refuses to start without the keys that data was encrypted under, says so in a line, and writes nothing', async () => {
    await (await start()).stop();
    await rename(join(dataDir, 'kms'), join(outside, 'kms'));
    const before = await objects();
    const { code, said } = await startToEnd();
    expect(code).toBe(1);
    expect(said).toMatch(/encrypted under the master key "arn:aws:kms:.*which is not the one configured/);
    expect(said).not.toMatch(/\n\s+at /);
    expect(await objects()).toEqual(before);
    expect(await readdir(dataDir)).not.toContain('env.json');

    await rm(join(dataDir, 'kms'), { recursive: true });
    await rename(join(outside, 'kms'), join(dataDir, 'kms'));
    const again = await start();
    expect((await fetch(`${again.url}/health/live`)).status).toBe(200);
    await again.stop();
  });

  it('takes a file of master keys instead, and refuses another one or one that others may read', async () => {
    const file = join(outside, 'master.key');
    await createMasterKeyFile(file, 'first');
    const env = { PERSISTENCE_ENCRYPTION_MASTER_KEY_FILE: file };
    const service = await start(env);
    expect(service.settings).not.toHaveProperty('PERSISTENCE_ENCRYPTION_KMS_KEY_ID');
    await service.stop();

    const other = join(outside, 'other.key');
    await createMasterKeyFile(other, 'first');
    const refused = await startToEnd({ PERSISTENCE_ENCRYPTION_MASTER_KEY_FILE: other });
    expect(refused).toMatchObject({ code: 1, said: expect.stringMatching(/encrypted under the master key "first"/) });

    await writeFile(join(outside, 'open.key'), await readFile(file), { mode: 0o644 });
    const open = await startToEnd({ PERSISTENCE_ENCRYPTION_MASTER_KEY_FILE: join(outside, 'open.key') });
    expect(open).toMatchObject({ code: 1, said: expect.stringMatching(/chmod 600/) });
  });
});
