/** Data objects of checkpoints in S3, of tenants that encrypt and of others. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCheckpointStore } from '../../lib/checkpoints/checkpoint-store.ts';
import type { CheckpointLine } from '../../lib/checkpoints/format/checkpoint-line.ts';
import type { CheckpointObject } from '../../lib/checkpoints/format/checkpoint-object.ts';
import { createRunWriter } from '../../lib/checkpoints/format/frame-writer.ts';
import { readRun } from '../../lib/checkpoints/format/run-reader.ts';
import { createDataKeys } from '../../lib/crypto/data-keys.ts';
import { createLocalProvider } from '../../lib/crypto/local-provider.ts';
import { createMasterKeyFile } from '../../lib/crypto/make-master-key.ts';
import { createTenantCipher } from '../../lib/crypto/tenant-cipher.ts';
import { createTenantKeys, keyRefs } from '../../lib/crypto/tenant-keys.ts';
import { CorruptValueError } from '../../lib/errors.ts';
import { type ContextData, EMPTY_CONTEXT } from '../../lib/gate/context-format.ts';
import { newTenantId, newUlid, type TenantId } from '../../lib/ids.ts';
import { checkpointDataBlob } from '../../lib/keys.ts';
import { newBlobStore } from '../support/blob-session.ts';
import { cacheLine, collect, hotLine } from '../support/checkpoint-lines.ts';

const blobs = newBlobStore();
const now = () => Date.now();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'checkpoint-objects-'));
  await createMasterKeyFile(join(folder, 'master.key'), 'one');
});
afterAll(() => rm(folder, { recursive: true }));

/** What objects are written and read with. */
function newTools() {
  const provider = createLocalProvider({ masterKeyFile: join(folder, 'master.key') });
  const tenantKeys = createTenantKeys({ provider, blobs });
  const dataKeys = createDataKeys({ provider, maxAgeMs: 60_000, staleMs: 60_000, now });
  const cipher = createTenantCipher({ dataKeys, tenantKeys });
  return { tenantKeys, cipher, store: createCheckpointStore({ blobs, cipher, now }) };
}

interface Owner {
  readonly id: TenantId;
  readonly context: ContextData;
}

async function newOwner(encrypts: boolean): Promise<Owner> {
  const id = newTenantId(newUlid(now()));
  if (!encrypts) return { id, context: EMPTY_CONTEXT };
  const set = await newTools().tenantKeys.provision(id);
  return { id, context: { ...EMPTY_CONTEXT, keys: keyRefs(set), data_key: set.data_key } };
}

async function write({ id, context }: Owner, lines: readonly CheckpointLine[]) {
  const { cipher, store } = newTools();
  const seal = await cipher.sealer(id, context);
  const writer = createRunWriter({ sink: store.sinkOf(id), seal, newName: () => newUlid(now()) });
  for (const line of lines) await writer.add(line);
  return (await writer.close()).objects;
}

const read = ({ id, context }: Owner, objects: readonly CheckpointObject[]) =>
  collect(readRun(objects, newTools().store.sourceOf(id, context)));

const bytesOf = async ({ id }: Owner, { name }: CheckpointObject): Promise<Buffer> =>
  (await blobs.get(checkpointDataBlob(id, name)))?.body ?? Buffer.alloc(0);

/** 15 MiB that hardly pack. */
const LINES = [
  ...Array.from({ length: 200 }, (_, at) =>
    cacheLine(`k${String(at).padStart(4, '0')}`, randomBytes(56_000).toString('base64')),
  ),
  hotLine(1, { h: 's1', 'd:cart': '{"ž":1}' }, 'ada'),
];

describe('data objects of checkpoints in S3 [K1 K3 T8]', () => {
  it.each([
    ['does not encrypt', false],
    ['encrypts', true],
  ])('give back what was written, of a tenant that %s', async (_how, encrypts) => {
    const owner = await newOwner(encrypts);
    const objects = await write(owner, LINES);
    expect(objects.length).toBeGreaterThan(1);
    expect(await read(owner, objects)).toEqual(LINES);
    const stored = await bytesOf(owner, objects[0] as CheckpointObject);
    const opened = spawnSync('lz4', ['-dc'], { input: stored, maxBuffer: 64 * 1024 * 1024 });
    if (opened.error === undefined) expect(opened.stdout.includes('"kind":"cache"')).toBe(!encrypts);
    expect(stored.readUInt32LE(0)).toBe(encrypts ? 0x184d2a50 : 0x184d2204);
  });

  it('do not open as those of another tenant, or under another name', async () => {
    const [owner, other] = [await newOwner(true), await newOwner(true)];
    const [object] = (await write(owner, LINES.slice(-3))) as [CheckpointObject];
    const body = await bytesOf(owner, object);
    const renamed = { ...object, name: newUlid(now()) };
    await blobs.put({ key: checkpointDataBlob(other.id, object.name), body });
    await blobs.put({ key: checkpointDataBlob(owner.id, renamed.name), body });
    await expect(read(other, [object])).rejects.toThrow(CorruptValueError);
    await expect(read({ ...owner, id: other.id }, [object])).rejects.toThrow();
    await expect(read(owner, [renamed])).rejects.toThrow(CorruptValueError);
    expect(await read(owner, [object])).toEqual(LINES.slice(-3));
  });

  it('are refused when they are shorter than they were, or gone', async () => {
    const owner = await newOwner(false);
    const objects = await write(owner, LINES);
    const [first] = objects as readonly [CheckpointObject];
    const body = await bytesOf(owner, first);
    for (const length of [0, 1, first.frames[0]?.length ?? 0, body.length - 1]) {
      await blobs.put({ key: checkpointDataBlob(owner.id, first.name), body: body.subarray(0, length) });
      await expect(read(owner, objects)).rejects.toThrow(CorruptValueError);
    }
    await blobs.delete([checkpointDataBlob(owner.id, first.name)]);
    await expect(read(owner, objects)).rejects.toThrow(CorruptValueError);
  });
});
