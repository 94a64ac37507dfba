/** Collects lines of a frame. What was taken stays as it is until the next one is taken: one can be packed while another is filled. */
import { FRAME_RAW_BYTES } from './checkpoint-object.ts';

const FIRST_BYTES = 64 * 1024;

/** Lines to be packed. */
export interface FilledFrame {
  readonly raw: Buffer;
  readonly lines: number;
}

export function createFrameFiller() {
  let [filling, packing] = [Buffer.alloc(0), Buffer.alloc(0)];
  let bytes = 0;
  let lines = 0;

  /** Most tenants are small: memory is taken as it is needed. */
  const makeRoom = (needed: number) => {
    if (needed <= filling.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.min(FRAME_RAW_BYTES, Math.max(FIRST_BYTES, 2 * needed)));
    filling.copy(larger, 0, 0, bytes);
    filling = larger;
  };

  return {
    /** Whether a line of so many bytes goes into this frame. */
    hasRoom: (lineBytes: number): boolean => bytes + lineBytes <= FRAME_RAW_BYTES,
    /** Adds a line that has room. @param lineBytes of its UTF-8. */
    add(line: string, lineBytes: number): void {
      makeRoom(bytes + lineBytes);
      // Of ASCII both are the same bytes, and these are only copied.
      filling.write(line, bytes, lineBytes === line.length ? 'latin1' : 'utf8');
      bytes += lineBytes;
      lines++;
    },
    /** The frame; null when there are no lines. */
    take(): FilledFrame | null {
      if (lines === 0) return null;
      const frame = { raw: filling.subarray(0, bytes), lines };
      [filling, packing] = [packing, filling];
      bytes = 0;
      lines = 0;
      return frame;
    },
  };
}
