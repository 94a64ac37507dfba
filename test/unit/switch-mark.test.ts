/** What a restore leaves in a tenant's slot, as it was stored before, is still read. */
import { describe, expect, it } from 'vitest';
import { markText, parseMark } from '../../lib/checkpoints/restore/switch-mark.ts';
import { LOAD_BEGINS } from '../../lib/checkpoints/restore/tenant-loader.ts';
import { golden } from '../support/stored-formats.ts';

const RESTORE = 'ckpt-01k9zzzzzzzzzzzzzzzzzzzzz1';

describe('the mark of a switch [K3]', () => {
  it('says what was loaded, which generation was retired, and what that had', () => {
    const stock = { ...LOAD_BEGINS.stock, ...{ memory: 1_000, entries: 2, storage: 300, raw: 20, packed: 10 } };
    const load = {
      ...LOAD_BEGINS,
      ...{ stock: { ...stock, sessions: 1, hotBytes: 900, seq: 7 }, terminated: 1, expired: 2 },
    };
    const mark = { outcome: 'restored', retired: 1, load } as const;
    expect(parseMark(golden.switchMark, RESTORE)).toEqual({ ...mark, counts: { cache: 3, session: 4 } });
    // The script adds the counts. Which record was the last is nobody's business any more.
    const written = markText(RESTORE, { ...mark, load: { ...load, after: 'c\0ns\0k' } });
    expect(`${written}3,4`).toBe(golden.switchMark);
  });

  it('of another restore says nothing', () => {
    expect(parseMark(golden.switchMark, RESTORE.replace(/.$/, '2'))).toBe(null);
  });
});
