import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createExportWriter,
  type ExportItem,
  FRAME_RAW_BYTES,
  openFrame,
  readExport,
  readLines,
} from '../../lib/cache/exports/export-format.ts';
import { type ExportEntry, lineOf } from '../../lib/cache/exports/export-line.ts';
import { type ExportManifest, parseManifest } from '../../lib/cache/exports/export-manifest.ts';
import { CorruptValueError } from '../../lib/errors.ts';
import { anExportEntry, exportEntryOf } from '../support/export-entries.ts';

const MAX_VALUE_BYTES = 20 * 1024 * 1024;
/** More than any small export has. */
const LZ4_D_MAX_BYTES = 64 * 1024 * 1024;

async function exported(entries: Iterable<ExportEntry>) {
  const frames: Buffer[] = [];
  const writer = createExportWriter(async (bytes) => {
    frames.push(bytes);
  });
  for (const entry of entries) await writer.add(entry);
  const manifest = await writer.finish();
  return { manifest, object: Buffer.concat(frames) };
}

interface Source {
  readonly manifest: ExportManifest;
  readonly object: Buffer;
}

function readingOf({ manifest, object }: Source, fromFrame = 0) {
  const ranges: { start: number; end: number }[] = [];
  const fetch = async (range: { start: number; end: number }) => {
    ranges.push(range);
    return object.subarray(range.start, range.end + 1);
  };
  return { ranges, items: readExport({ manifest, fetch, maxValueBytes: MAX_VALUE_BYTES, fromFrame }) };
}

async function collect(items: AsyncIterable<ExportItem>): Promise<ExportItem[]> {
  const all: ExportItem[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** 9 MiB of lines that hardly pack, and lines that do. */
const large = Array.from({ length: 90 }, (_, i) =>
  exportEntryOf(`k${i}`, i % 2 === 0 ? randomBytes(75_000) : Buffer.from('text '.repeat(20_000))),
);

describe('exports of entries [C11]', () => {
  it('give back what was written, to the byte', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anExportEntry, { maxLength: 20 }), async (entries) => {
        const source = await exported(entries);
        const items = await collect(readingOf(source).items);
        expect(items).toEqual(entries.map((entry, i) => ({ line: i + 1, entry })));
        expect(source.manifest.entries).toBe(entries.length);
      }),
    );
  });

  it('are frames of 4 MiB of whole lines at most, each with its place, size and digest', async () => {
    const { manifest, object } = await exported(large);
    expect(manifest.frames.length).toBeGreaterThan(2);
    let offset = 0;
    for (const frame of manifest.frames) {
      const bytes = object.subarray(frame.offset, frame.offset + frame.length);
      expect(frame.offset).toBe(offset);
      expect(frame.raw_bytes).toBeLessThanOrEqual(FRAME_RAW_BYTES);
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(frame.sha256);
      offset += frame.length;
    }
    expect(offset).toBe(object.length);
    expect(manifest).toMatchObject({ version: 1, entries: 90, bytes: object.length });
    expect(parseManifest(JSON.stringify({ ...manifest, tenant: 'more' }))).toEqual(manifest);
  });

  it('are opened by `lz4 -d` as NDJSON', async () => {
    const { object, manifest } = await exported(large);
    const ndjson = Buffer.concat(large.map(lineOf));
    const opened = spawnSync('lz4', ['-dc'], { input: object, maxBuffer: LZ4_D_MAX_BYTES });
    // Where the tool is not installed: every frame has the format's magic, and its blocks' own test reads them.
    if (opened.error === undefined) expect(Buffer.compare(opened.stdout, ndjson)).toBe(0);
    else for (const { offset } of manifest.frames) expect(object.readUInt32LE(offset)).toBe(0x184d2204);
  });

  it('are read frame by frame, and from any frame on, with the same numbers of lines', async () => {
    const source = await exported(large);
    const { ranges, items } = readingOf(source);
    const all = await collect(items);
    expect(all.map((item) => item.line)).toEqual(large.map((_entry, i) => i + 1));
    expect(ranges).toEqual(
      source.manifest.frames.map(({ offset, length }) => ({ start: offset, end: offset + length - 1 })),
    );
    const later = await collect(readingOf(source, 1).items);
    expect(later.map((item) => item.line)).toEqual(
      all.slice(source.manifest.frames[0]?.entries).map((item) => item.line),
    );
  });

  it('write no more than one frame before the one before it was taken', async () => {
    let open = 0;
    let frames = 0;
    const writer = createExportWriter(async () => {
      expect(++open).toBe(1);
      await new Promise(setImmediate);
      open--;
      frames++;
    });
    for (const entry of large) await writer.add(entry);
    expect((await writer.finish()).frames).toHaveLength(frames);
  });

  it('put a value of 20 MB into one frame of its own', async () => {
    const value = randomBytes(MAX_VALUE_BYTES);
    const source = await exported([
      exportEntryOf('a', Buffer.from('v')),
      exportEntryOf('b', value),
      exportEntryOf('c', Buffer.from('v')),
    ]);
    expect(source.manifest.frames.map((frame) => frame.entries)).toEqual([1, 1, 1]);
    const [, item] = await collect(readingOf(source).items);
    expect(item !== undefined && 'entry' in item && item.entry.value.equals(value)).toBe(true);
  });

  it('have no frames when there is nothing', async () => {
    const { manifest, object } = await exported([]);
    expect(manifest).toEqual({ version: 1, frames: [], entries: 0, bytes: 0, raw_bytes: 0 });
    expect(object.length).toBe(0);
    expect(parseManifest(JSON.stringify(manifest))).toEqual(manifest);
  });

  it('tell a bad line by its number and reason, without its values, and go on', () => {
    const good = (key: string) => lineOf(exportEntryOf(key, Buffer.from('v'))).toString();
    const lines = `${good('a')}{"key":"secret\n\n${good('b')}{"namespace":"ns","key":"k","value":"secret"}\n${good('c').trimEnd()}`;
    const items = [...readLines(Buffer.from(lines), { line: 1, maxValueBytes: 10 })];
    expect(items.map((item) => ('entry' in item ? item.entry.name.key : item))).toEqual([
      'a',
      { line: 2, problem: 'line must be JSON in UTF-8' },
      { line: 3, problem: 'line must be JSON in UTF-8' },
      'b',
      { line: 5, problem: 'expires_at must be there; null is never' },
      'c',
    ]);
  });

  describe('that were damaged', () => {
    const damaged = async (change: (source: Source) => Source) => {
      const source = await exported(large.slice(0, 3));
      return collect(readingOf(change(source)).items);
    };
    const withFrame = (changes: object) => (source: Source) => ({
      ...source,
      manifest: { ...source.manifest, frames: source.manifest.frames.map((frame) => ({ ...frame, ...changes })) },
    });

    it.each([
      ['a byte is another', (source: Source) => ({ ...source, object: Buffer.from(source.object).fill(7, 99, 100) })],
      ['bytes are missing', (source: Source) => ({ ...source, object: source.object.subarray(0, -1) })],
      ['the digest is another', withFrame({ sha256: '0'.repeat(64) })],
      ['the length of its lines is a lie', withFrame({ raw_bytes: 1_000 })],
      ['the length of its lines is a bomb', withFrame({ raw_bytes: 4_000_000_000 })],
      ['the length of its frame is a bomb', withFrame({ length: 4_000_000_000 })],
      ['the number of its lines is a lie', withFrame({ entries: 4 })],
    ])('are not read when %s', async (_what, change) => {
      await expect(damaged(change)).rejects.toBeInstanceOf(CorruptValueError);
    });

    it('are refused before anything is fetched, when a frame would be too long', async () => {
      const source = withFrame({ raw_bytes: 4_000_000_000 })(await exported(large.slice(0, 1)));
      const { ranges, items } = readingOf(source);
      await expect(collect(items)).rejects.toBeInstanceOf(CorruptValueError);
      expect(ranges).toEqual([]);
    });

    it('do not make a frame of what is none, whose digest is right', async () => {
      const bytes = randomBytes(64);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const frame = { offset: 0, length: 64, raw_bytes: 500, sha256, entries: 1 };
      await expect(openFrame(bytes, frame, MAX_VALUE_BYTES)).rejects.toBeInstanceOf(CorruptValueError);
    });
  });

  it('have a manifest that is refused when it is none, or does not add up', async () => {
    const { manifest } = await exported(large);
    const [first, ...rest] = manifest.frames;
    const wrong = [
      { ...manifest, version: 2 },
      { ...manifest, frames: rest },
      { ...manifest, frames: [...rest, first] },
      { ...manifest, entries: 89 },
      { ...manifest, bytes: manifest.bytes + 1 },
      { ...manifest, frames: [{ ...first, entries: 0 }, ...rest] },
      { ...manifest, frames: [{ ...first, raw_bytes: 0.5 }, ...rest] },
      { ...manifest, frames: [{ ...first, sha256: 'x' }, ...rest] },
      { ...manifest, frames: [null] },
      null,
      [],
    ];
    for (const value of wrong) expect(() => parseManifest(JSON.stringify(value))).toThrow(CorruptValueError);
    expect(() => parseManifest('{')).toThrow(CorruptValueError);
  });
});
