/** What an export consists of: its frames, which can be read each alone by a range of the object they stand in. */
import { CorruptValueError } from '../../errors.ts';

export interface ExportFrame {
  /** Of its first byte in the object. */
  readonly offset: number;
  /** Bytes in the object. */
  readonly length: number;
  /** Bytes of its lines. */
  readonly raw_bytes: number;
  /** Of its bytes in the object, hex. */
  readonly sha256: string;
  /** Lines. */
  readonly entries: number;
}

export interface ExportManifest {
  readonly version: 1;
  readonly frames: readonly ExportFrame[];
  /** All together. */
  readonly entries: number;
  readonly bytes: number;
  readonly raw_bytes: number;
}

export function manifestOf(frames: readonly ExportFrame[]): ExportManifest {
  const sum = (of: (frame: ExportFrame) => number) => frames.reduce((total, frame) => total + of(frame), 0);
  return {
    version: 1,
    frames,
    entries: sum((frame) => frame.entries),
    bytes: sum((frame) => frame.length),
    raw_bytes: sum((frame) => frame.raw_bytes),
  };
}

/**
 * Reads a manifest; other fields beside its own are left out.
 * @throws {CorruptValueError} it is none, or its frames do not follow each other.
 */
export function parseManifest(json: string): ExportManifest {
  const found = parsed(json);
  if (found?.version !== 1 || !Array.isArray(found.frames)) throw corrupt('it is not of version 1');
  let offset = 0;
  const frames = found.frames.map((frame: unknown) => {
    if (!isFrame(frame) || frame.offset !== offset) throw corrupt('its frames do not follow each other');
    offset += frame.length;
    return {
      offset: frame.offset,
      length: frame.length,
      raw_bytes: frame.raw_bytes,
      sha256: frame.sha256,
      entries: frame.entries,
    };
  });
  const manifest = manifestOf(frames);
  const { entries, bytes, raw_bytes } = manifest;
  if (found.entries !== entries || found.bytes !== bytes || found.raw_bytes !== raw_bytes)
    throw corrupt('it does not add up');
  return manifest;
}

function parsed(json: string): Partial<Record<keyof ExportManifest, unknown>> | null {
  try {
    return JSON.parse(json);
  } catch {
    throw corrupt('it is not JSON');
  }
}

function isFrame(value: unknown): value is ExportFrame {
  if (typeof value !== 'object' || value === null) return false;
  const { offset, length, raw_bytes, sha256, entries } = value as Record<string, unknown>;
  const isCount = (number: unknown) => Number.isSafeInteger(number) && (number as number) > 0;
  return (
    (offset === 0 || isCount(offset)) &&
    [length, raw_bytes, entries].every(isCount) &&
    typeof sha256 === 'string' &&
    /^[0-9a-f]{64}$/.test(sha256)
  );
}

const corrupt = (reason: string) => new CorruptValueError(`The manifest of the export cannot be used: ${reason}`);
