import { describe, expect, it } from 'vitest';
import type { CheckpointObject } from '../../lib/checkpoints/format/checkpoint-object.ts';
import { readRun } from '../../lib/checkpoints/format/run-reader.ts';
import { CorruptValueError } from '../../lib/errors.ts';
import { cacheLine, collect, createObjectMemory } from '../support/checkpoint-lines.ts';

const kinds = [
  ['plain', false],
  ['sealed', true],
] as const;

async function written(sealed: boolean) {
  const memory = createObjectMemory();
  const { objects } = await memory.write([cacheLine('a', 'c2,one'), cacheLine('b', 'c2,two, '.repeat(20))], sealed);
  const object = objects[0] as CheckpointObject;
  const bytes = memory.objects.get(object.name) as Buffer;
  const read = (changed: Buffer, described: CheckpointObject = object) => {
    memory.objects.set(object.name, changed);
    return collect(readRun([described], memory.source)).catch((error: unknown) => error);
  };
  return { memory, object, bytes, read };
}

describe('a data object that was damaged [K3]', () => {
  it.each(kinds)('is refused whichever bit flips: %s', async (_kind, sealed) => {
    const { bytes, read } = await written(sealed);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(await read(flipped)).toBeInstanceOf(CorruptValueError);
    }
  });

  it.each(kinds)('is refused wherever it is cut: %s', async (_kind, sealed) => {
    const { bytes, read } = await written(sealed);
    for (let length = 0; length < bytes.length; length++)
      expect(await read(bytes.subarray(0, length))).toBeInstanceOf(CorruptValueError);
  });

  it('is refused when it is missing', async () => {
    const { memory, object } = await written(false);
    memory.objects.clear();
    await expect(collect(readRun([object], memory.source))).rejects.toThrow(CorruptValueError);
  });

  it('is refused when its frames are not what is said of them', async () => {
    const { bytes, object, read } = await written(false);
    const [frame] = object.frames;
    for (const changes of [{ raw_bytes: 10 }, { lines: 1 }, { lines: 3 }, { sealed: true }, { sha256: '0'.repeat(64) }])
      expect(await read(bytes, { ...object, frames: [{ ...frame, ...changes }] } as CheckpointObject)).toBeInstanceOf(
        CorruptValueError,
      );
  });

  it('is refused before anything is read, when a frame says it is longer than frames may be', async () => {
    const { memory, bytes, object, read } = await written(false);
    const [frame] = object.frames;
    for (const changes of [{ raw_bytes: 5_000_000 }, { raw_bytes: 4e9, lines: 1 }, { length: 4e9 }])
      expect(await read(bytes, { ...object, frames: [{ ...frame, ...changes }] } as CheckpointObject)).toBeInstanceOf(
        CorruptValueError,
      );
    expect(memory.ranges).toEqual([]);
  });

  it('is refused when its lines are out of order', async () => {
    const { bytes, object, memory } = await written(false);
    memory.objects.set(object.name, bytes);
    await expect(collect(readRun([object, object], memory.source))).rejects.toThrow(CorruptValueError);
  });

  it('does not open as another object, nor with its frames in another order', async () => {
    const { bytes, object, memory } = await written(true);
    const other = { ...object, name: `${object.name.slice(0, -1)}9` };
    memory.objects.set(other.name, bytes);
    await expect(collect(readRun([other], memory.source))).rejects.toThrow(CorruptValueError);
    const frame = object.frames[0] as CheckpointObject['frames'][number];
    const twice = { ...object, bytes: 2 * object.bytes, frames: [frame, { ...frame, offset: object.bytes }] };
    memory.objects.set(object.name, Buffer.concat([bytes, bytes]));
    const read: unknown[] = [];
    await expect(
      (async () => {
        for await (const line of readRun([twice], memory.source)) read.push(line);
      })(),
    ).rejects.toThrow('sealed');
    expect(read).toHaveLength(2);
  });
});
