import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  KMSClient,
  ListKeysCommand,
} from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readKeyRing } from '../../infra/local/kms/key-file.ts';
import { startKmsEndpoint } from '../../infra/local/kms/start-kms-endpoint.ts';
import { KMS_CREDENTIALS, type KmsSession, startKmsSession } from '../support/kms-session.ts';
import { type HandSigned, sendHandSigned } from '../support/s3-signing.ts';

const KeyId = 'alias/riptide';
const CONTEXT = { tenant: 'tenant-a', purpose: 'data-key' };
let kms: KmsSession;
let client: KMSClient;

beforeAll(async () => {
  kms = await startKmsSession();
  client = new KMSClient({ endpoint: kms.url, region: 'us-east-1', credentials: KMS_CREDENTIALS, maxAttempts: 1 });
});
afterAll(async () => {
  client.destroy();
  await kms.stop();
});

const keyId = async () => (await readKeyRing(kms.dir))?.keys[0]?.id ?? '';
const dataKey = (more: object = {}) =>
  client.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', EncryptionContext: CONTEXT, ...more }));

describe('the KMS endpoint [T8]', () => {
  it('makes data keys of the length asked for, and decrypts them', async () => {
    for (const [spec, bytes] of [
      [{ KeySpec: 'AES_256' }, 32],
      [{ KeySpec: 'AES_128' }, 16],
      [{ KeySpec: undefined, NumberOfBytes: 1 }, 1],
      [{ KeySpec: undefined, NumberOfBytes: 1024 }, 1024],
    ] as const) {
      const made = await dataKey(spec);
      expect(made.Plaintext?.length).toBe(bytes);
      const { CiphertextBlob } = made;
      const got = await client.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: CONTEXT }));
      expect(got).toMatchObject({ KeyId: made.KeyId, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' });
      expect(Buffer.from(got.Plaintext ?? [])).toEqual(Buffer.from(made.Plaintext ?? []));
    }
  });

  it('takes the names of the context in any order, and no other context', async () => {
    const { CiphertextBlob } = await dataKey();
    const decrypt = (EncryptionContext?: Record<string, string>) =>
      client.send(new DecryptCommand({ CiphertextBlob, ...(EncryptionContext && { EncryptionContext }) }));
    expect((await decrypt({ purpose: 'data-key', tenant: 'tenant-a' })).Plaintext).toBeDefined();
    for (const other of [undefined, {}, { tenant: 'tenant-a' }, { ...CONTEXT, more: 'x' }, { ...CONTEXT, tenant: 'b' }])
      await expect(decrypt(other)).rejects.toMatchObject({ name: 'InvalidCiphertextException' });
  });

  it('knows a key by id, ARN, alias and the ARN of an alias, and no other', async () => {
    const id = await keyId();
    const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId }));
    expect(KeyMetadata).toMatchObject({ KeyId: id, Enabled: true, KeyState: 'Enabled', KeyUsage: 'ENCRYPT_DECRYPT' });
    expect(KeyMetadata?.CreationDate?.getTime()).toBeGreaterThan(Date.now() - 60_000);
    const arn = KeyMetadata?.Arn ?? '';
    for (const name of [id, arn, KeyId, arn.replace(`key/${id}`, KeyId)])
      expect((await dataKey({ KeyId: name })).KeyId).toBe(arn);
    for (const name of ['alias/none', id.replace(/.$/, 'x'), arn.replace('us-east-1', 'eu-west-1'), 'alias/__proto__'])
      await expect(dataKey({ KeyId: name })).rejects.toMatchObject({ name: 'NotFoundException' });
  });

  it('holds a call to the key it names, and damage to none', async () => {
    const other = await startKmsSession();
    try {
      const { CiphertextBlob = new Uint8Array() } = await dataKey();
      await kms.replaceKey();
      const named = new DecryptCommand({ CiphertextBlob, KeyId, EncryptionContext: CONTEXT });
      await expect(client.send(named)).rejects.toMatchObject({ name: 'IncorrectKeyException' });
      const unnamed = new DecryptCommand({ CiphertextBlob, EncryptionContext: CONTEXT });
      expect((await client.send(unnamed)).Plaintext?.length).toBe(32);
      const theirs = await other.provider().generate(CONTEXT);
      for (const blob of [
        Buffer.from(theirs.wrapped, 'base64'),
        randomBytes(100),
        Buffer.of(1),
        flipLast(CiphertextBlob),
      ]) {
        const command = new DecryptCommand({ CiphertextBlob: blob, EncryptionContext: CONTEXT });
        await expect(client.send(command)).rejects.toMatchObject({ name: 'InvalidCiphertextException' });
      }
    } finally {
      await other.stop();
    }
  });

  it('decrypts what older material encrypted, and encrypts under the newest', async () => {
    const before = await dataKey();
    await kms.turn();
    const after = await dataKey();
    expect(after.KeyId).toBe((await dataKey()).KeyId);
    for (const { CiphertextBlob, Plaintext } of [before, after]) {
      const got = await client.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: CONTEXT }));
      expect(Buffer.from(got.Plaintext ?? [])).toEqual(Buffer.from(Plaintext ?? []));
    }
  });

  it('refuses keys that are disabled or about to be deleted, by their own errors, and still describes them', async () => {
    const { CiphertextBlob } = await dataKey();
    for (const [state, name] of [
      ['Disabled', 'DisabledException'],
      ['PendingDeletion', 'KMSInvalidStateException'],
    ] as const) {
      await kms.setState(state);
      await expect(dataKey()).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 409 } });
      const decrypt = new DecryptCommand({ CiphertextBlob, EncryptionContext: CONTEXT });
      await expect(client.send(decrypt)).rejects.toMatchObject({ name });
      const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId }));
      expect(KeyMetadata).toMatchObject({ Enabled: false, KeyState: state });
    }
    await kms.setState('Enabled');
    await dataKey();
  });

  it('refuses lengths and contexts that KMS refuses', async () => {
    const encrypt = (Plaintext: Buffer) => client.send(new EncryptCommand({ KeyId, Plaintext }));
    expect((await encrypt(Buffer.alloc(4096))).CiphertextBlob).toBeDefined();
    const refused = [
      encrypt(Buffer.alloc(4097)),
      encrypt(Buffer.alloc(0)),
      dataKey({ KeySpec: undefined }),
      dataKey({ NumberOfBytes: 32 }),
      dataKey({ KeySpec: undefined, NumberOfBytes: 1025 }),
      dataKey({ EncryptionContext: { tenant: '' } }),
      dataKey({ EncryptionContext: { tenant: 'x'.repeat(8200) } }),
    ];
    for (const outcome of await Promise.allSettled(refused))
      expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'ValidationException' } });
  });

  it('answers 501 to what it does not do, rather than guess', async () => {
    const unsupported = { name: 'UnsupportedOperationException', $metadata: { httpStatusCode: 501 } };
    await expect(client.send(new CreateKeyCommand({}))).rejects.toMatchObject(unsupported);
    await expect(client.send(new ListKeysCommand({}))).rejects.toMatchObject(unsupported);
    await expect(dataKey({ DryRun: true })).rejects.toMatchObject(unsupported);
    await expect(dataKey({ GrantTokens: ['a'] })).rejects.toMatchObject(unsupported);
    const rsa = new EncryptCommand({ KeyId, Plaintext: Buffer.of(1), EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' });
    await expect(client.send(rsa)).rejects.toMatchObject(unsupported);
  });
});

const flipLast = (bytes: Uint8Array) => {
  const damaged = Buffer.from(bytes);
  damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
  return damaged;
};

describe('who may at the KMS endpoint [T8]', () => {
  const send = (more: Partial<HandSigned>) =>
    sendHandSigned({
      url: kms.url,
      method: 'POST',
      path: '/',
      service: 'kms',
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'TrentService.DescribeKey' },
      body: JSON.stringify({ KeyId }),
      ...KMS_CREDENTIALS,
      ...more,
    });
  const typeOf = (text: string) => /"__type":"(\w+)"/.exec(text)?.[1];

  it('takes a call signed by hand, after the description alone', async () => {
    expect(await send({})).toMatchObject({ status: 200, text: expect.stringContaining('"KeyMetadata"') });
  });

  it.each<[string, Partial<HandSigned>, string]>([
    ['another secret', { secretAccessKey: 'other' }, 'InvalidSignatureException'],
    ['an unknown key', { accessKeyId: 'nobody' }, 'UnrecognizedClientException'],
    ['a signature for S3', { service: 's3' }, 'InvalidSignatureException'],
    ['another region', { region: 'eu-west-1' }, 'InvalidSignatureException'],
    ['a clock 16 minutes behind', { atMs: Date.now() - 16 * 60_000 }, 'InvalidSignatureException'],
    ['another body than the one signed', { payload: '0'.repeat(64) }, 'InvalidSignatureException'],
    ['a body left out of the signature', { payload: 'UNSIGNED-PAYLOAD' }, 'InvalidSignatureException'],
    ['no signature', { unsigned: { authorization: 'Bearer x' } }, 'MissingAuthenticationTokenException'],
    ['a header added on the way', { unsigned: { 'x-amz-added': '1' } }, 'InvalidSignatureException'],
  ])('refuses %s', async (_name, wrong, type) => {
    const answer = await send(wrong);
    expect(answer.status).toBe(400);
    expect(typeOf(answer.text)).toBe(type);
  });

  it('tells the unsigned nothing of what it does and has', async () => {
    for (const operation of ['DescribeKey', 'NoSuchOperation', 'CreateKey']) {
      const headers = { 'x-amz-target': `TrentService.${operation}` };
      const answer = await send({ headers, secretAccessKey: 'other' });
      expect(typeOf(answer.text)).toBe('InvalidSignatureException');
    }
  });

  it.each<[string, Partial<HandSigned>, number, string]>([
    ['a body that is no JSON', { body: '{' }, 400, 'SerializationException'],
    ['a body that is no object', { body: '[]' }, 400, 'SerializationException'],
    ['a parameter of another type', { body: '{"KeyId":5}' }, 400, 'ValidationException'],
    ['another method', { method: 'PUT' }, 400, 'UnknownOperationException'],
    [
      'a target of another service',
      { headers: { 'x-amz-target': 'Other.DescribeKey' } },
      501,
      'UnsupportedOperationException',
    ],
    ['a body that is too large', { body: ' '.repeat(32_769) }, 413, 'RequestEntityTooLargeException'],
  ])('answers %s by its error', async (_name, wrong, status, type) => {
    const answer = await send(wrong);
    expect([answer.status, typeOf(answer.text)]).toEqual([status, type]);
  });

  it('never answers a ciphertext of its caller in an error', async () => {
    const body = JSON.stringify({ CiphertextBlob: 'c2VjcmV0LXNlY3JldA==!', Other: 'secret' });
    const answer = await send({ body, headers: { 'x-amz-target': 'TrentService.Decrypt' } });
    expect(answer.status).toBe(501);
    expect(answer.text).not.toMatch(/c2Vjc|secret/);
  });
});

describe('the keys of the KMS endpoint [T8]', () => {
  it('are for their owner only, and the same after a restart', async () => {
    expect((await stat(join(kms.dir, 'keys.json'))).mode & 0o777).toBe(0o600);
    expect((await readdir(kms.dir)).sort()).toEqual(['keys.json']);
    const { CiphertextBlob } = await dataKey();
    const again = await startKmsEndpoint({ dir: kms.dir, ...KMS_CREDENTIALS });
    try {
      const { hostname, port } = new URL(again.url);
      expect(hostname).toBe('127.0.0.1');
      const other = new KMSClient({
        endpoint: `http://127.0.0.1:${port}`,
        region: 'us-east-1',
        credentials: KMS_CREDENTIALS,
      });
      const got = await other.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: CONTEXT }));
      other.destroy();
      expect(got.Plaintext?.length).toBe(32);
    } finally {
      await again.stop();
    }
  });

  it('are never made anew when the file is damaged or goes away', async () => {
    const own = await startKmsSession();
    try {
      const file = join(own.dir, 'keys.json');
      const before = await readFile(file, 'utf8');
      for (const text of ['', '{', '{"format":2}', before.replace('"Enabled"', '"Perhaps"')]) {
        await writeFile(file, text);
        await expect(startKmsEndpoint({ dir: own.dir, ...KMS_CREDENTIALS })).rejects.toThrow(/not a file of KMS keys/);
        expect(await readFile(file, 'utf8')).toBe(text);
      }
      await rm(file);
      await expect(own.provider().currentKeyId()).rejects.toMatchObject({ code: 'key_provider_unavailable' });
      expect(await readdir(own.dir)).toEqual([]);
    } finally {
      await own.stop();
    }
  });
});
