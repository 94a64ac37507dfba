import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CheckpointLine, encodeLine, orderOf } from '../../lib/checkpoints/format/checkpoint-line.ts';
import { FRAME_RAW_BYTES, MAX_LINE_BYTES, OBJECT_BYTES } from '../../lib/checkpoints/format/checkpoint-object.ts';
import { createRunWriter } from '../../lib/checkpoints/format/frame-writer.ts';
import { readRun } from '../../lib/checkpoints/format/run-reader.ts';
import { readState, writeState } from '../../lib/checkpoints/format/state-object.ts';
import { cacheLine, collect, createObjectMemory, removalOf, someLines } from '../support/checkpoint-lines.ts';

const numbered = (at: number) => `k${String(at).padStart(6, '0')}`;
const kinds = [
  ['plain', false],
  ['sealed', true],
] as const;

/** About 25 MiB of lines that hardly pack. */
const hard = Array.from({ length: 300 }, (_, at) => cacheLine(numbered(at), randomBytes(63_000).toString('base64')));
const textOf = (lines: readonly CheckpointLine[]) => lines.map(encodeLine).join('');

/** What `lz4 -dc` makes of it; null where the tool is not installed. */
function lz4Opened(object: Buffer): Buffer | null {
  const { error, status, stdout } = spawnSync('lz4', ['-dc'], { input: object, maxBuffer: 256 * 1024 * 1024 });
  if (error !== undefined) return null;
  expect(status).toBe(0);
  return stdout;
}

describe('a run of a checkpoint [K1 K2]', () => {
  it.each(kinds)('gives back what was written: %s', async (_kind, sealed) => {
    await fc.assert(
      fc.asyncProperty(someLines, async (lines) => {
        const memory = createObjectMemory();
        const run = await memory.write(lines, sealed);
        expect(run.lines).toBe(lines.length);
        expect(run.rawBytes).toBe(Buffer.byteLength(textOf(lines)));
        expect(await collect(readRun(run.objects, memory.source))).toEqual(lines);
      }),
      { numRuns: 50 },
    );
  });

  it.each(kinds)('is in objects of about 8 MiB, of frames of 4 MiB of whole lines: %s', async (_kind, sealed) => {
    const memory = createObjectMemory();
    const run = await memory.write(hard, sealed);
    expect(run.objects.length).toBeGreaterThan(1);
    for (const { name, bytes, frames } of run.objects) {
      expect(memory.objects.get(name)?.length).toBe(bytes);
      expect(bytes).toBeLessThan(OBJECT_BYTES + FRAME_RAW_BYTES + 1024);
      for (const frame of frames) expect(frame.raw_bytes).toBeLessThanOrEqual(FRAME_RAW_BYTES);
      expect(frames.every((frame) => frame.sealed === sealed)).toBe(true);
    }
    for (const { bytes } of run.objects.slice(0, -1)) expect(bytes).toBeGreaterThanOrEqual(OBJECT_BYTES);
    expect(run.bytes).toBe([...memory.objects.values()].reduce((sum, { length }) => sum + length, 0));
    expect(await collect(readRun(run.objects, memory.source))).toEqual(hard);
  });

  it('is opened by `lz4 -d` as NDJSON; sealed, it is passed over', async () => {
    const plain = createObjectMemory();
    await plain.write(hard);
    const opened = lz4Opened(Buffer.concat([...plain.objects.values()]));
    if (opened !== null) expect(opened.equals(Buffer.from(textOf(hard)))).toBe(true);
    const sealed = createObjectMemory();
    await sealed.write(hard, true);
    const [object = Buffer.alloc(0)] = sealed.objects.values();
    expect(object.readUInt32LE(0)).toBe(0x184d2a50);
    expect(object.includes('"kind"')).toBe(false);
    const [plainObject = Buffer.alloc(0)] = plain.objects.values();
    const mixed = lz4Opened(Buffer.concat([object, plainObject]));
    if (mixed !== null) expect(textOf(hard).startsWith(mixed.toString())).toBe(true);
  });

  it('reads small frames together, and large ones each alone', async () => {
    const easy = Array.from({ length: 40 }, (_, at) => cacheLine(numbered(at), 'x'.repeat(1024 * 1024)));
    const memory = createObjectMemory();
    const run = await memory.write(easy);
    expect(run.objects[0]?.frames.length).toBeGreaterThan(10);
    expect(await collect(readRun(run.objects, memory.source))).toEqual(easy);
    expect(memory.ranges).toHaveLength(1);
    const large = createObjectMemory();
    const { objects } = await large.write(hard);
    await collect(readRun(objects, large.source));
    expect(large.ranges).toHaveLength(objects.flatMap(({ frames }) => frames).length);
  });

  it('is read on behind a line without reading what is before it', async () => {
    const memory = createObjectMemory();
    const { objects } = await memory.write(hard);
    const names = objects.map(({ name }) => name);
    for (const at of [0, 150, hard.length - 2, hard.length - 1]) {
      memory.ranges.length = 0;
      const found = await collect(readRun(objects, memory.source, orderOf(hard[at] as CheckpointLine)));
      expect(found).toEqual(hard.slice(at + 1));
    }
    expect(memory.ranges.filter((range) => range.name !== names.at(-1)).length).toBeLessThanOrEqual(names.length / 2);
    const between = `${orderOf(hard[7] as CheckpointLine)}x`;
    expect(await collect(readRun(objects, memory.source, between))).toEqual(hard.slice(8));
    expect(await collect(readRun(objects, memory.source, 'a'))).toEqual(hard);
    expect(await collect(readRun([], memory.source, 'a'))).toEqual([]);
  });

  it('puts a line longer than a frame into one of its own', async () => {
    const lines = [cacheLine('a', 'v'), cacheLine('b', 'x'.repeat(9 * 1024 * 1024)), cacheLine('c', 'v')];
    const memory = createObjectMemory();
    const run = await memory.write(lines);
    expect(run.objects.flatMap(({ frames }) => frames.map((frame) => frame.lines))).toEqual([1, 1, 1]);
    expect(await collect(readRun(run.objects, memory.source))).toEqual(lines);
  });

  it('of nothing has no objects', async () => {
    const memory = createObjectMemory();
    expect(await memory.write([])).toEqual({ objects: [], lines: 0, rawBytes: 0, bytes: 0 });
    expect(await collect(readRun([], memory.source))).toEqual([]);
  });

  it('takes no lines out of order, twice, or too long', async () => {
    const writer = createRunWriter(createObjectMemory().writerDeps(false));
    await writer.add(cacheLine('b', 'v'));
    for (const key of ['a', 'b']) await expect(writer.add(cacheLine(key, 'v'))).rejects.toThrow(RangeError);
    await expect(writer.add(removalOf(cacheLine('b', 'v')))).rejects.toThrow(RangeError);
    await expect(writer.add(cacheLine('c', 'x'.repeat(MAX_LINE_BYTES)))).rejects.toThrow(RangeError);
    await writer.add(cacheLine('c', 'v'));
    expect((await writer.close()).lines).toBe(2);
  });

  it('stores no object before the one before it is stored, and tells what storing threw', async () => {
    let open = 0;
    const deps = createObjectMemory().writerDeps(false);
    const writer = createRunWriter({
      ...deps,
      sink: async () => {
        expect(++open).toBe(1);
        await new Promise(setImmediate);
        open--;
      },
    });
    for (const line of hard) await writer.add(line);
    expect((await writer.close()).objects.length).toBeGreaterThan(1);
    const failing = createRunWriter({
      ...deps,
      sink: async () => {
        throw new Error('no room');
      },
    });
    await expect(
      (async () => {
        for (const line of hard) await failing.add(line);
        await failing.close();
      })(),
    ).rejects.toThrow('no room');
  });
});

describe('the state of a tenant in a checkpoint [K1]', () => {
  it.each(kinds)('gives back what was written: %s', async (_kind, sealed) => {
    const memory = createObjectMemory();
    const state = { record: { name: 'Ada ž' }, keys: [{ id: 'key-1' }] };
    const object = await writeState(state, memory.writerDeps(sealed));
    expect(object.frames).toMatchObject([{ lines: 1, sealed }]);
    expect(await readState(object, memory.source)).toEqual(state);
  });
});
