/** Objects of large values that are damaged, missing, or cannot be had; storage that is full; values that lie about their size. */
import { hash, randomBytes } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { pack } from '../../lib/blobs/codec.ts';
import { sha256Of } from '../../lib/blobs/sha256.ts';
import { readEntry } from '../../lib/cache/entry.ts';
import { type EntryBody, packStub } from '../../lib/cache/entry-format.ts';
import { BlobUnavailableError, CorruptValueError } from '../../lib/errors.ts';
import type { Caller } from '../../lib/gate/caller.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';
import { newTenant, testApp } from '../support/app.ts';
import { auditTenant } from '../support/audit-tenant.ts';
import { blobsOf, doomedOf, storedBlob } from '../support/cache-blobs.ts';
import { gateState } from '../support/gate-state.ts';

const name = { namespace: 'ns', key: 'large' };
const meta = { content_type: 'application/octet-stream' };
const MIB = 1024 * 1024;

/** An instance that has the value itself asks no S3. */
const NO_COPIES = { PERSISTENCE_CACHE_LOCAL_MAX_BYTES: '0' };

let app: App;
let hook: FailpointHook = () => {};
beforeEach(() => {
  hook = () => {};
});
beforeAll(async () => {
  telemetry.logger.setLogLevel('SILENT');
  app = await testApp({ env: NO_COPIES, failpoint: (call) => hook(call) });
});

const set = (caller: Caller, value: Buffer, key = name.key) =>
  app.cache.set(caller, { ...name, key }, { value, meta, ttlMs: 60_000 });

const DAMAGES: readonly (readonly [name: string, change: (object: Buffer) => Buffer | null])[] = [
  ['with its first bit flipped', (object) => flip(object, 0)],
  ['with a bit flipped in the middle', (object) => flip(object, object.length >> 1)],
  ['with its last bit flipped', (object) => flip(object, object.length - 1)],
  ['without its last byte', (object) => object.subarray(0, -1)],
  ['with a byte more', (object) => Buffer.concat([object, Buffer.of(0)])],
  ['that is empty', () => Buffer.alloc(0)],
  ['that is missing', () => null],
];

function flip(object: Buffer, at: number): Buffer {
  const changed = Buffer.from(object);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}

describe.each(['raw', 'packed', 'sealed'])('an object that is %s [C6 T7]', (kind) => {
  it.each(DAMAGES)(
    '%s is a miss, never another value, and no byte of it is counted any more',
    async (_name, change) => {
      const { tenant, caller } = await newTenant(app, { encryption: kind === 'sealed' });
      const value =
        kind === 'packed'
          ? Buffer.concat(Array.from({ length: 9_000 }, () => Buffer.alloc(128, randomBytes(64))))
          : randomBytes(300_000);
      await set(caller, value);
      const [object] = await blobsOf(app, tenant.id);
      const changed = change(await storedBlob(app, tenant.id));
      if (changed === null) await app.blobs.delete([object?.key ?? '']);
      else await app.blobs.put({ key: object?.key ?? '', body: changed });
      expect(await app.cache.get(caller, name)).toBeNull();
      expect(await auditTenant(app, tenant.id)).toBe(0);
      await set(caller, value);
      expect(await app.cache.get(caller, name)).toMatchObject({ value });
      expect(await auditTenant(app, tenant.id)).toBe(1);
    },
  );

  it('of another entry is not taken for its own', async () => {
    const { tenant, caller } = await newTenant(app, { encryption: kind === 'sealed' });
    await set(caller, randomBytes(300_000));
    await set(caller, randomBytes(300_000), 'other');
    const [one, other] = await blobsOf(app, tenant.id);
    const { body } = (await app.blobs.get(other?.key ?? '')) ?? expect.fail();
    await app.blobs.put({ key: one?.key ?? '', body });
    const found = await Promise.all(['large', 'other'].map((key) => app.cache.get(caller, { ...name, key })));
    expect(found.filter((entry) => entry !== null)).toHaveLength(1);
    expect(await auditTenant(app, tenant.id)).toBe(1);
  });
});

describe('a link to an object [C6]', () => {
  it.each(['is missing', 'is another'])('that %s is not given: it is a miss', async (how) => {
    const { tenant, caller } = await newTenant(app);
    await set(caller, randomBytes(300_000));
    const [object] = await blobsOf(app, tenant.id);
    const key = object?.key ?? '';
    if (how === 'is missing') await app.blobs.delete([key]);
    else await app.blobs.put({ key, body: randomBytes(300_000), metadata: { 'riptide-sha256': 'x'.repeat(43) } });
    expect(await app.cache.getOrLink(caller, name, { maxBytes: 1_000 })).toBeNull();
    expect(await auditTenant(app, tenant.id)).toBe(0);
  });
});

describe('while S3 does not answer [C6]', () => {
  it('a large value is neither stored nor lost: 503, and the entry stays', async () => {
    const { tenant, caller } = await newTenant(app);
    const value = randomBytes(300_000);
    await set(caller, value);
    hook = ({ port }) => {
      if (port === 'blobs') throw new BlobUnavailableError('down');
    };
    const down = { code: 'blob_store_unavailable', status: 503 };
    await expect(app.cache.get(caller, name)).rejects.toMatchObject(down);
    await expect(set(caller, randomBytes(300_000))).rejects.toMatchObject(down);
    expect(await app.cache.head(caller, name)).toMatchObject({ rawBytes: value.length });
    await set(caller, Buffer.from('small'), 'small');
    hook = () => {};
    expect(await app.cache.get(caller, name)).toMatchObject({ value });
    expect(await auditTenant(app, tenant.id)).toBe(2);
    expect(await doomedOf(app, tenant.id)).toHaveLength(1);
  });
});

describe('storage of a tenant [C6 C13]', () => {
  it('that is full refuses a large value with 507, removes nothing, and takes one in the place of another', async () => {
    const { tenant, caller } = await newTenant(app, { quotas: { storage_bytes: 700_000 } });
    await set(caller, randomBytes(300_000), 'one');
    await set(caller, randomBytes(300_000), 'two');
    await expect(set(caller, randomBytes(300_000), 'three')).rejects.toMatchObject({
      code: 'storage_full',
      status: 507,
      details: { resource: 'storage_bytes', used: 600_000, needed: 300_000, limit: 700_000 },
    });
    expect(await blobsOf(app, tenant.id)).toHaveLength(2);
    await set(caller, randomBytes(400_000), 'two');
    expect(await auditTenant(app, tenant.id)).toBe(2);
    expect(await gateState(app, tenant.id).meter()).toMatchObject({ storage: 700_000n });
  });
});

describe('who may not write [C6 A1]', () => {
  it('leaves no object in S3 and no name in the index', async () => {
    const { tenant, caller } = await newTenant(app, {}, ['cache:read']);
    await app.cache.get(caller, name);
    await expect(set(caller, randomBytes(300_000))).rejects.toMatchObject({ code: 'scope_missing' });
    expect([await blobsOf(app, tenant.id), await doomedOf(app, tenant.id)]).toEqual([[], []]);
  });
});

describe('an object that unpacks to more than it says [C5 C6]', () => {
  it.each(['lz4', 'zstd'] as const)('of %s takes no more memory than the entry says', async (codec) => {
    const bytes = Buffer.alloc(19 * MIB);
    const bomb = await pack(bytes, { algorithm: codec, thresholdBytes: 0 });
    expect(bomb.bytes.length).toBeLessThan(200_000);
    // Only the length in the stub is another: its digest is that of the bomb, as if somebody had written both.
    const stub = packStub(meta, { codec, rawBytes: MIB, sha256: sha256Of(bomb.bytes) });
    const stored = storedStub(stub, `${'0'.repeat(26)}.${bomb.bytes.length}`);
    const unsealed = () => Promise.reject(new Error('it is not sealed'));
    const reading = { name, nowMs: 0, maxBytes: 20 * MIB, fetch: async () => bomb.bytes, open: unsealed };
    const before = process.memoryUsage();
    await expect(readEntry(stored, reading)).rejects.toBeInstanceOf(CorruptValueError);
    const after = process.memoryUsage();
    expect(after.rss - before.rss + after.external - before.external).toBeLessThan(12 * MIB);
  });

  it.each([
    ['object', MIB, 20 * MIB + 1_025],
    ['value', 20 * MIB + 1, MIB],
  ])('is not even fetched when its %s is longer than values may be', async (_what, rawBytes, bytes) => {
    const stub = packStub(meta, { codec: 'raw', rawBytes, sha256: sha256Of(Buffer.alloc(0)) });
    const stored = storedStub(stub, `${'0'.repeat(26)}.${bytes}`);
    const unused = () => Promise.reject(new Error('nothing is read'));
    const reading = { name, nowMs: 0, maxBytes: 20 * MIB, fetch: unused, open: unused };
    await expect(readEntry(stored, reading)).rejects.toBeInstanceOf(CorruptValueError);
  });
});

/** As set-cache-entry.lua writes it. */
function storedStub({ metaBytes, tagBytes, rawBytes, digest, codec, body }: EntryBody, blob: string): string {
  const never = '0'.repeat(14);
  const line = `,29920461,${never},${never},${rawBytes},1,0000000435,1795227660002,${metaBytes},${tagBytes},${blob},${digest},op,${codec}\n`;
  return `c2,${hash('sha1', line + body, 'hex').slice(0, 8)}${line}${body}`;
}
