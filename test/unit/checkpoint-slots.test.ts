import { describe, expect, it } from 'vitest';
import { writePages } from '../../lib/checkpoints/writing/run-pages.ts';
import { createSlots } from '../../lib/checkpoints/writing/slots.ts';

const line = (key: string) => ({ kind: 'cache', namespace: 'n', key, stored: '' }) as const;

/** Pages of one line each, and how many runs with more than one are under way. */
function runOf(keys: readonly string[], { fails = false } = {}) {
  const written: string[] = [];
  const read = async (after: string | null) => {
    const at = after === null ? 0 : keys.indexOf(after) + 1;
    const key = keys[at] as string;
    return { lines: [line(key)], after: at === keys.length - 1 ? null : key };
  };
  const writer = {
    async add(each: { readonly key?: string }) {
      if (fails) throw new Error('S3 is away');
      written.push(each.key ?? '');
    },
  };
  return { written, from: { read, writer: writer as never } };
}
const BEGINS = { after: null, lines: 0 } as const;
const never = () => false;

describe('tenants with more than a page [K1]', () => {
  it('have room for a few at once, in the order they came', async () => {
    const slots = createSlots(2);
    const [first, second] = [await slots.take(), await slots.take()];
    const order: string[] = [];
    const taken = async (name: string) => {
      const giveBack = await slots.take();
      order.push(name);
      return giveBack;
    };
    const [third, fourth] = [taken('third'), taken('fourth')];
    await Promise.resolve();
    expect(order).toEqual([]);
    first();
    first();
    (await third)();
    (await fourth)();
    second();
    expect(order).toEqual(['third', 'fourth']);
    await Promise.all([slots.take(), slots.take()]);
  });

  it('are written page by page, wait for room, and hold up none with one page', async () => {
    const slots = createSlots(1);
    const giveBack = await slots.take();
    const small = runOf(['a']);
    expect(await writePages({ ...small.from, slots }, BEGINS, never)).toEqual({ after: null, lines: 1, ended: true });
    const large = runOf(['a', 'b', 'c']);
    const writing = writePages({ ...large.from, slots }, BEGINS, never);
    await new Promise((resolve) => setImmediate(resolve));
    expect(large.written).toEqual([]);
    giveBack();
    expect(await writing).toEqual({ after: 'b', lines: 3, ended: true });
    expect(large.written).toEqual(['a', 'b', 'c']);
  });

  it('stop behind the page that is being written, and go on there', async () => {
    const slots = createSlots(1);
    const { from, written } = runOf(['a', 'b', 'c']);
    const stopped = await writePages({ ...from, slots }, BEGINS, () => true);
    expect(stopped).toEqual({ after: 'a', lines: 1, ended: false });
    expect(await writePages({ ...from, slots }, stopped, never)).toEqual({ after: 'b', lines: 3, ended: true });
    expect(written).toEqual(['a', 'b', 'c']);
  });

  it('leave their room to others when writing them fails', async () => {
    const slots = createSlots(1);
    const { from } = runOf(['a', 'b'], { fails: true });
    await expect(writePages({ ...from, slots }, BEGINS, never)).rejects.toThrow('away');
    await slots.take();
  });
});
