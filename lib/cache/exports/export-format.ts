/**
 * An export of entries: one object of LZ4 frames, one after the other, each of whole lines (export-line.ts) and of 4 MiB of
 * them at most, unless one line alone is longer; and its manifest. `lz4 -d` makes NDJSON of the object. Whoever writes or
 * reads one needs memory for a few frames, however large it is.
 */
import { hash } from 'node:crypto';
import { loadLz4 } from '../../blobs/lz4.ts';
import { countLines, linesOf } from '../../blobs/ndjson.ts';
import { AppError, CorruptValueError } from '../../errors.ts';
import { type ExportEntry, lineOf, parseLine } from './export-line.ts';
import { type ExportFrame, type ExportManifest, manifestOf } from './export-manifest.ts';

/** Bytes of lines in one frame. */
export const FRAME_RAW_BYTES = 4 * 1024 * 1024;
/** Of one line: metadata, and a value of 1 MiB that as JSON is 6 times as long. */
const LINE_SLACK_BYTES = 8 * 1024 * 1024;

/** Takes a frame and what the manifest will say of it; the next one is made when this one is settled. */
export type FrameSink = (bytes: Buffer, frame: ExportFrame) => Promise<void>;

/** A writer of one export. Await each call before the next. @throws what the sink throws; it cannot go on then. */
export function createExportWriter(sink: FrameSink) {
  const frames: ExportFrame[] = [];
  let lines: Buffer[] = [];
  let pendingBytes = 0;

  const flush = async () => {
    if (lines.length === 0) return;
    const taken = lines;
    lines = [];
    pendingBytes = 0;
    const last = frames.at(-1);
    const { bytes, frame } = await packFrame(taken, last === undefined ? 0 : last.offset + last.length);
    frames.push(frame);
    await sink(bytes, frame);
  };

  return {
    /** Adds an entry; a frame is written when it is full. */
    async add(entry: ExportEntry): Promise<void> {
      const line = lineOf(entry);
      if (pendingBytes + line.length > FRAME_RAW_BYTES) await flush();
      lines.push(line);
      pendingBytes += line.length;
    },
    /** Writes the rest. An export of nothing has no frames. */
    async finish(): Promise<ExportManifest> {
      await flush();
      return manifestOf(frames);
    },
  };
}

/** Lines as one frame. @param offset of its first byte in the object. */
export async function packFrame(
  lines: readonly Buffer[],
  offset: number,
): Promise<{ readonly bytes: Buffer; readonly frame: ExportFrame }> {
  const raw = Buffer.concat(lines);
  const bytes = await (await loadLz4()).compressInTurns(raw);
  const sha256 = hash('sha256', bytes, 'hex');
  return { bytes, frame: { offset, length: bytes.length, raw_bytes: raw.length, sha256, entries: lines.length } };
}

/** A line of an export: what it says; or why it cannot be used, and no value of it. */
export type ExportItem =
  | { readonly line: number; readonly entry: ExportEntry }
  | { readonly line: number; readonly problem: string };

export interface ReadingExport {
  readonly manifest: ExportManifest;
  /** Bytes of the object from `start` to `end`, the last included. */
  fetch(range: { readonly start: number; readonly end: number }): Promise<Buffer>;
  /** Longer values are problems; and no frame may be longer than what one of them needs. */
  readonly maxValueBytes: number;
  /** The first frame to read; the numbers of lines go on as if all had been read. */
  readonly fromFrame?: number;
}

/**
 * The lines in their order, numbered from 1; one frame is held at a time.
 * @throws {CorruptValueError} a frame is not what the manifest says; the frames before it were read.
 */
export async function* readExport(reading: ReadingExport): AsyncGenerator<ExportItem> {
  const { manifest, fetch, maxValueBytes, fromFrame = 0 } = reading;
  let line = manifestOf(manifest.frames.slice(0, fromFrame)).entries + 1;
  for (const frame of manifest.frames.slice(fromFrame)) {
    checkLength(frame, maxValueBytes);
    const bytes = await fetch({ start: frame.offset, end: frame.offset + frame.length - 1 });
    const content = await openFrame(bytes, frame, maxValueBytes);
    yield* readLines(content, { line, maxValueBytes });
    line += frame.entries;
  }
}

/**
 * The lines of a frame. Its digest is checked before anything is decompressed, and its length before any memory is taken.
 * @throws {CorruptValueError}
 */
export async function openFrame(bytes: Buffer, frame: ExportFrame, maxValueBytes: number): Promise<Buffer> {
  checkLength(frame, maxValueBytes);
  if (bytes.length !== frame.length || hash('sha256', bytes, 'hex') !== frame.sha256)
    throw new CorruptValueError('A frame of the export fails its digest');
  const content = await (await loadLz4()).decompressInTurns(bytes, frame.raw_bytes);
  if (countLines(content) !== frame.entries)
    throw new CorruptValueError('A frame of the export has other lines than it says');
  return content;
}

function checkLength({ length, raw_bytes }: ExportFrame, maxValueBytes: number): void {
  const max = FRAME_RAW_BYTES + LINE_SLACK_BYTES + Math.ceil((maxValueBytes * 4) / 3);
  if (raw_bytes > max || length > 2 * max)
    throw new CorruptValueError('A frame of the export says it is longer than frames may be');
}

/** Lines of NDJSON, however they came here. @param options.line the number of the first one. */
export function* readLines(
  content: Buffer,
  { line: first, maxValueBytes }: { readonly line: number; readonly maxValueBytes: number },
): Generator<ExportItem> {
  let line = first;
  for (const bytes of linesOf(content)) {
    yield readItem(bytes, line, maxValueBytes);
    line++;
  }
}

function readItem(bytes: Buffer, line: number, maxValueBytes: number): ExportItem {
  try {
    return { line, entry: parseLine(bytes, { maxValueBytes }) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const [issue] = error.issues ?? [];
    return { line, problem: issue === undefined ? error.message : `${issue.field} ${issue.message}` };
  }
}
