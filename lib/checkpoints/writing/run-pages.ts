/** Reads a tenant's records page by page into a run. While the lines of one page are written, the next is read. */
import type { RunWriter } from '../format/frame-writer.ts';
import type { RecordPage } from '../walk/record-pages.ts';
import type { Slots } from './slots.ts';

export interface PagesRead {
  /** Order of the last record looked at; null: none. */
  readonly after: string | null;
  readonly lines: number;
  /** There is none behind. */
  readonly ended: boolean;
}

/**
 * Until there are no more, or `isOver`.
 * @param read the page behind a record. @param slots of tenants that have more than a page: each holds frames, and what packing
 * leaves behind, about 30 MB.
 */
export async function writePages(
  {
    read,
    writer,
    slots,
  }: {
    readonly read: (after: string | null) => Promise<RecordPage>;
    readonly writer: Pick<RunWriter, 'add'>;
    readonly slots: Slots;
  },
  from: Omit<PagesRead, 'ended'>,
  isOver: () => boolean,
): Promise<PagesRead> {
  let { after, lines } = from;
  let page = await read(after);
  const giveBack = page.after === null ? () => {} : await slots.take();
  try {
    for (;;) {
      after = page.after ?? after;
      const next = page.after === null || isOver() ? null : read(page.after);
      // Told when its turn comes.
      next?.catch(() => {});
      for (const line of page.lines) await writer.add(line);
      lines += page.lines.length;
      if (next === null) return { after, lines, ended: page.after === null };
      page = await next;
    }
  } finally {
    giveBack();
  }
}
