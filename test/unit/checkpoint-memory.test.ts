import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createRunWriter } from '../../lib/checkpoints/format/frame-writer.ts';
import { cacheLine, createObjectMemory, ulidOf } from '../support/checkpoint-lines.ts';

const LINE_BYTES = 100_000;
/** 200 MB: by then memory is what it will be. */
const FIRST_LINES = 2_000;
const LINES = 5_000;

describe('memory of a process that writes a run [K1]', () => {
  it('does not grow with what is written, sealed, and of a kind that does not pack', async () => {
    let stored = 0;
    const writer = createRunWriter({
      ...createObjectMemory().writerDeps(true),
      newName: () => ulidOf(stored),
      sink: async (_name, bytes) => {
        stored += bytes.length;
        await setImmediate();
      },
    });
    const text = randomBytes((LINE_BYTES * 3) / 4).toString('base64');
    const write = async (from: number, to: number) => {
      for (let at = from; at < to; at++)
        await writer.add(cacheLine(String(at).padStart(6, '0'), text.slice(at % 1_000)));
    };
    await write(0, FIRST_LINES);
    const [before, storedBefore] = [process.memoryUsage().rss, stored];
    await write(FIRST_LINES, LINES);
    expect(process.memoryUsage().rss - before).toBeLessThan((stored - storedBefore) / 2);
    await writer.close();
  }, 60_000);
});
