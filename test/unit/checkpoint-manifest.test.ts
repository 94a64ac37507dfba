import { spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { loadLz4 } from '../../lib/blobs/lz4.ts';
import { contentBytesOf } from '../../lib/blobs/lz4-frame.ts';
import {
  buildManifest,
  decodeManifest,
  encodeManifest,
  MAX_MANIFEST_BYTES,
  namedObjects,
} from '../../lib/checkpoints/format/manifest.ts';
import type { CheckpointManifest } from '../../lib/checkpoints/format/manifest-schema.ts';
import { CheckpointFormatError, CorruptValueError } from '../../lib/errors.ts';
import { ulidOf } from '../support/checkpoint-lines.ts';
import { FACTS, objectOf, tenantOf } from '../support/checkpoint-manifests.ts';

const epochs = {
  all: 3,
  namespaces: { ns: 5 },
  tags: Object.fromEntries([
    ['__proto__', 9],
    ['t', 1],
  ]),
};
const run = (...objects: readonly ReturnType<typeof objectOf>[]) => ({ started_at_ms: 1795227660003, epochs, objects });
const tenants = [
  tenantOf(3, { runs: [run()], counts: { cache: 0, session: 0 } }),
  tenantOf(1, { state: objectOf(7, 50), runs: [run(objectOf(1), objectOf(2)), run(objectOf(3))] }),
  tenantOf(2, { counts: { cache: 1, session: 8 } }),
];
const manifest = buildManifest({ ...FACTS, base: 'ckpt-01kck000000000000000000000', new_bytes: 400 }, tenants);

const ndjsonOf = ({ header, tenants: lines }: CheckpointManifest) =>
  [header, ...lines].map((line) => `${JSON.stringify(line)}\n`).join('');
const packed = async (text: string) => (await loadLz4()).compress(Buffer.from(text));
const signed = (lines: string) => `${lines}{"sha256":"${hash('sha256', lines, 'hex')}"}\n`;
const outcomeOf = (bytes: Buffer) => decodeManifest(bytes).catch((error: unknown) => error);

describe('the manifest of a checkpoint [K1 K3]', () => {
  it('gives back what was written, its tenants sorted, and added up', async () => {
    const bytes = await encodeManifest(manifest);
    expect(await decodeManifest(bytes)).toEqual(manifest);
    expect(manifest.tenants.map(({ tenant }) => tenant)).toEqual([1, 2, 3].map((n) => `tenant-${ulidOf(n)}`));
    expect(manifest.header).toMatchObject({
      format: 'ck1',
      tenants: 3,
      counts: { cache: 4, session: 8 },
      bytes: 450,
      raw_bytes: 900,
    });
  });

  it('keeps the epoch of a tag called __proto__', async () => {
    const [first] = (await decodeManifest(await encodeManifest(manifest))).tenants;
    expect(Object.entries(first?.runs[0]?.epochs.tags ?? {})).toEqual([
      ['__proto__', 9],
      ['t', 1],
    ]);
  });

  it('names every object, each with its tenant', () => {
    expect([...namedObjects(manifest)].map(({ tenant, name }) => [tenant.slice(-1), name])).toEqual([
      ['1', ulidOf(7)],
      ['1', ulidOf(1)],
      ['1', ulidOf(2)],
      ['1', ulidOf(3)],
      ['2', ulidOf(1)],
    ]);
  });

  it('is opened by `lz4 -d` as NDJSON with its digest', async () => {
    const bytes = await encodeManifest(manifest);
    const opened = spawnSync('lz4', ['-dc'], { input: bytes });
    const content =
      opened.error === undefined ? opened.stdout : (await loadLz4()).decompress(bytes, contentBytesOf(bytes));
    expect(content.toString()).toBe(signed(ndjsonOf(manifest)));
  });

  it('may be of no tenants', async () => {
    const empty = buildManifest({ ...FACTS, new_bytes: 0 }, []);
    expect(await decodeManifest(await encodeManifest(empty))).toEqual(empty);
  });

  it('of many tenants is read', async () => {
    const many = buildManifest(
      FACTS,
      Array.from({ length: 20_000 }, (_, at) => tenantOf(at)),
    );
    expect((await decodeManifest(await encodeManifest(many))).header.tenants).toBe(20_000);
  });

  it('is not written when it does not add up', async () => {
    const { header } = manifest;
    const wrong = [
      { header: { ...header, bytes: 1 }, tenants: manifest.tenants },
      { header, tenants: manifest.tenants.toReversed() },
    ];
    for (const each of wrong) await expect(encodeManifest(each)).rejects.toThrow(RangeError);
  });
});

describe('a manifest that was damaged [K3]', () => {
  it('is never taken for another, whichever bit flips', async () => {
    const bytes = await encodeManifest(buildManifest(FACTS, [tenantOf(1)]));
    const whole = await decodeManifest(bytes);
    let same = 0;
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const outcome = await outcomeOf(flipped);
      if (outcome instanceof CorruptValueError) continue;
      // A block may say the same thing in two ways: a copy of other bytes that are the same.
      expect(outcome).toEqual(whole);
      same++;
    }
    expect(same).toBeLessThan(bytes.length / 10);
  });

  it('is refused wherever it is cut, and when anything stands behind it', async () => {
    const bytes = await encodeManifest(buildManifest(FACTS, [tenantOf(1)]));
    for (let length = 0; length < bytes.length; length++)
      expect(await outcomeOf(bytes.subarray(0, length))).toBeInstanceOf(CorruptValueError);
    expect(await outcomeOf(Buffer.concat([bytes, Buffer.of(0)]))).toBeInstanceOf(CorruptValueError);
    expect(await outcomeOf(Buffer.concat([bytes, bytes]))).toBeInstanceOf(CorruptValueError);
  });

  it('is refused when lines are missing, doubled or behind the digest', async () => {
    const lines = ndjsonOf(manifest);
    const [header = '', first = '', ...rest] = lines.split(/(?<=\n)/);
    const texts = [
      lines,
      signed(''),
      signed('\n'),
      signed(header + rest.join('')),
      signed(lines + first),
      signed(first + rest.join('')),
      signed(lines) + first,
      signed(lines).trimEnd(),
      signed(lines).replace('{"sha256"', '{ "sha256"'),
    ];
    for (const text of texts) expect(await outcomeOf(await packed(text))).toBeInstanceOf(CorruptValueError);
  });

  const [one] = manifest.tenants;
  const frame = objectOf(1).frames[0];
  const withObject = (changes: object) => ({
    ...one,
    runs: [run({ ...objectOf(1), ...changes })],
    state: null,
    bytes: 100,
  });
  it.each([
    ['another tenant id', { ...one, tenant: 'tenant-1' }],
    ['no run', { ...one, runs: [] }],
    ['bytes that are not those of its objects', { ...one, bytes: 1 }],
    ['a field that is not known', { ...one, more: 1 }],
    ['a count below 0', { ...one, counts: { cache: -1, session: 0 } }],
    ['an object of another name', withObject({ name: '../x' })],
    ['an object of no frames', withObject({ frames: [] })],
    ['a frame that does not begin where it must', withObject({ frames: [{ ...frame, offset: 1 }] })],
    ['a frame that is longer than its object', withObject({ frames: [{ ...frame, length: 101 }] })],
    ['a frame of no lines', withObject({ frames: [{ ...frame, lines: 0 }] })],
    ['a digest that is none', withObject({ frames: [{ ...frame, sha256: 'x' }] })],
    ['an epoch that is none', { ...one, runs: [{ ...run(), epochs: { all: 0, namespaces: { ns: -1 }, tags: {} } }] }],
    ['an object twice', { ...one, bytes: 200, state: null, runs: [run(objectOf(1)), run(objectOf(1))] }],
  ])('is refused when a tenant has %s, though its digest is right', async (_what, line) => {
    const { tenants: _all, ...facts } = manifest.header;
    const header = { ...facts, tenants: 1, counts: one?.counts, bytes: (line as { bytes: number }).bytes };
    for (const raw_bytes of [0, 200, 400, 900])
      expect(
        await outcomeOf(
          await packed(
            signed([{ ...header, raw_bytes, new_bytes: 0 }, line].map((each) => `${JSON.stringify(each)}\n`).join('')),
          ),
        ),
      ).toBeInstanceOf(CorruptValueError);
  });

  it('is refused as of a newer version, when its format is another', async () => {
    const lines = ndjsonOf(manifest).replace('"ck1"', '"ck2"');
    expect(await outcomeOf(await packed(signed(lines)))).toBeInstanceOf(CheckpointFormatError);
  });

  it('takes no memory when it says that it is longer than manifests may be', async () => {
    const bytes = await encodeManifest(manifest);
    for (const claim of [MAX_MANIFEST_BYTES + 1, 2 ** 40, 2 ** 60, MAX_MANIFEST_BYTES]) {
      const lying = Buffer.from(bytes);
      lying.writeBigUInt64LE(BigInt(claim), 6);
      expect(await outcomeOf(lying)).toBeInstanceOf(CorruptValueError);
    }
  });
});
