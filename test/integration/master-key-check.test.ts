import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BlobStore } from '../../lib/blobs/store.ts';
import type { KeyProvider } from '../../lib/crypto/key-provider.ts';
import { createLocalProvider } from '../../lib/crypto/local-provider.ts';
import { addMasterKey, createMasterKeyFile } from '../../lib/crypto/make-master-key.ts';
import { verifyMasterKey } from '../../lib/crypto/master-key-check.ts';
import { ConfigError, MasterKeyMismatchError } from '../../lib/errors.ts';
import { MASTER_KEY_CHECK } from '../../lib/keys.ts';
import { failureOf, newBlobStore } from '../support/blob-session.ts';
import { type KmsSession, startKmsSession } from '../support/kms-session.ts';
import { servers } from '../support/servers.ts';

let kms: KmsSession;
let dir: string;
beforeAll(async () => {
  kms = await startKmsSession();
  dir = await mkdtemp(join(tmpdir(), 'riptide-master-key-'));
});
afterAll(async () => {
  await kms.stop();
  await rm(dir, { recursive: true, force: true });
});

/** A bucket of its own: the sentinel has one name. */
async function newBucket(): Promise<BlobStore> {
  const { url: endpoint, region, ...credentials } = servers().s3;
  const bucket = `check-${randomUUID()}`;
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket })).finally(() => client.destroy());
  return newBlobStore({ bucket });
}

async function newKeyFile(id = 'first'): Promise<string> {
  const path = join(dir, randomUUID());
  await createMasterKeyFile(path, id);
  return path;
}
const local = (masterKeyFile: string): KeyProvider => createLocalProvider({ masterKeyFile });
const sentinelOf = async (blobs: BlobStore) => (await blobs.get(MASTER_KEY_CHECK))?.body.toString();

describe('the master key at start [T8]', () => {
  it('leaves a sentinel at the very first start, and is known again at every later one', async () => {
    for (const provider of [kms.provider(), local(await newKeyFile())]) {
      const blobs = await newBucket();
      expect(await verifyMasterKey({ provider, blobs })).toBe('created');
      const kept = await sentinelOf(blobs);
      expect(await verifyMasterKey({ provider, blobs })).toBe('verified');
      expect(await sentinelOf(blobs)).toBe(kept);
    }
  });

  it('agrees on one sentinel when ten start at once', async () => {
    const [provider, blobs] = [kms.provider(), await newBucket()];
    const states = await Promise.all(Array.from({ length: 10 }, () => verifyMasterKey({ provider, blobs })));
    expect(states.filter((state) => state === 'created')).toHaveLength(1);
    expect(states.filter((state) => state === 'verified')).toHaveLength(9);
  });

  it('refuses another master key, says which and what to do, and writes nothing', async () => {
    const first = await newKeyFile();
    const blobs = await newBucket();
    await verifyMasterKey({ provider: local(first), blobs });
    const kept = await sentinelOf(blobs);
    // The same id with other bytes, another id, another keeper.
    for (const provider of [local(await newKeyFile()), local(await newKeyFile('other')), kms.provider()]) {
      const failure = await failureOf(verifyMasterKey({ provider, blobs }));
      expect(failure).toBeInstanceOf(MasterKeyMismatchError);
      expect(failure.message).toMatch(/"first" \(local\).*encryption\.master_key_file/);
      expect(await sentinelOf(blobs)).toBe(kept);
      expect((await blobs.list({ prefix: '' })).items).toHaveLength(1);
    }
  });

  it('refuses a KMS whose keys were lost, and a sentinel that is damaged', async () => {
    const blobs = await newBucket();
    const lost = await startKmsSession();
    await verifyMasterKey({ provider: lost.provider(), blobs });
    await lost.stop();
    const failure = await failureOf(verifyMasterKey({ provider: kms.provider(), blobs }));
    expect(failure).toBeInstanceOf(MasterKeyMismatchError);
    expect(failure.message).toMatch(/arn:aws:kms.*encryption\.kms_key_id/);
    await blobs.put({ key: MASTER_KEY_CHECK, body: Buffer.from('{"format":1}') });
    const damaged = await failureOf(verifyMasterKey({ provider: kms.provider(), blobs }));
    expect(damaged).toBeInstanceOf(MasterKeyMismatchError);
    expect(damaged.message).toMatch(/cannot be read/);
  });

  it('goes on after a rotation: the older master key is still there', async () => {
    const [kmsBlobs, fileBlobs, path] = [await newBucket(), await newBucket(), await newKeyFile()];
    await verifyMasterKey({ provider: kms.provider(), blobs: kmsBlobs });
    await verifyMasterKey({ provider: local(path), blobs: fileBlobs });
    await kms.replaceKey();
    await addMasterKey(path, 'second');
    expect(await verifyMasterKey({ provider: kms.provider(), blobs: kmsBlobs })).toBe('verified');
    expect(await verifyMasterKey({ provider: local(path), blobs: fileBlobs })).toBe('verified');
  });

  it('does not know while S3 or KMS is down, and stops nothing', async () => {
    const blobs = await newBucket();
    const nowhere = newBlobStore({ endpoint: 'http://127.0.0.1:1', requestTimeoutMs: 1000 });
    expect(await verifyMasterKey({ provider: kms.provider(), blobs: nowhere })).toBe('unknown');
    await kms.proxy.refuse();
    expect(await verifyMasterKey({ provider: kms.provider(), blobs })).toBe('unknown');
    await kms.proxy.accept();
    expect(await verifyMasterKey({ provider: kms.provider(), blobs })).toBe('created');
    await kms.proxy.refuse();
    expect(await verifyMasterKey({ provider: kms.provider(), blobs })).toBe('unknown');
    await kms.proxy.accept();
  });

  it('tells a disabled key from another one', async () => {
    const blobs = await newBucket();
    await verifyMasterKey({ provider: kms.provider(), blobs });
    await kms.setState('Disabled');
    expect(await verifyMasterKey({ provider: kms.provider(), blobs })).toBe('refused');
    expect(await verifyMasterKey({ provider: kms.provider(), blobs: await newBucket() })).toBe('refused');
    await kms.setState('Enabled');
    expect(await verifyMasterKey({ provider: kms.provider(), blobs })).toBe('verified');
  });

  it('refuses a file of master keys that cannot be used', async () => {
    const path = await newKeyFile();
    await writeFile(path, 'nothing');
    const outcome = verifyMasterKey({ provider: local(path), blobs: await newBucket() });
    expect(await failureOf(outcome)).toBeInstanceOf(ConfigError);
  });
});
