/**
 * A data object of a checkpoint: LZ4 frames of NDJSON, one after the other, all of one tenant; `lz4 -d` makes NDJSON of it. Of
 * tenants that encrypt, each frame is sealed and stands within a frame that `lz4 -d` passes over.
 */
import * as z from 'zod';
import { CorruptValueError } from '../../errors.ts';
import { ULID } from '../../ids.ts';

/** Bytes of lines in one frame, unless a line alone is longer. */
export const FRAME_RAW_BYTES = 4 * 1024 * 1024;
/** Of one line: a session of 4 MiB, or a value kept in Redis, with every byte escaped. */
export const MAX_LINE_BYTES = 64 * 1024 * 1024;
/** An object that has this many bytes takes no more frames. */
export const OBJECT_BYTES = 8 * 1024 * 1024;
/** What frames add to lines that do not pack: their header, blocks' sizes, the seal. */
const MAX_OVERHEAD_BYTES = 1024;

/** 0 and more. */
export const Amount = z.int().nonnegative();
const Positive = z.int().positive();
/** Lower-case. */
export const Ulid = z.string().regex(new RegExp(`^${ULID}$`));
/** Hex. */
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** Where a frame is in its object, and what it is. */
export const CheckpointFrame = z
  .strictObject({
    /** Of its first byte in the object. */
    offset: Amount,
    /** Bytes in the object. */
    length: Positive,
    /** Bytes of its lines. */
    raw_bytes: Positive,
    /** Of its bytes in the object. */
    sha256: Sha256,
    lines: Positive,
    sealed: z.boolean(),
  })
  .readonly();
export type CheckpointFrame = z.infer<typeof CheckpointFrame>;

export const CheckpointObject = z
  .strictObject({ name: Ulid, bytes: Positive, frames: z.array(CheckpointFrame).min(1).readonly() })
  .readonly()
  .refine(({ bytes, frames }) => endOf(frames) === bytes);
export type CheckpointObject = z.infer<typeof CheckpointObject>;

/** Behind the last frame; NaN when they do not follow each other. */
const endOf = (frames: readonly CheckpointFrame[]): number =>
  frames.reduce((end, { offset, length }) => (offset === end ? end + length : Number.NaN), 0);

/** What a sealed frame is bound to besides its tenant: elsewhere it does not open. */
export const sealedParts = (name: string, frameNumber: number): readonly string[] => [
  'checkpoint',
  name,
  String(frameNumber),
];

/** Before memory is taken for a frame. @throws {CorruptValueError} it says that it is longer than frames are. */
export function requireUsualSize({ length, raw_bytes, lines }: CheckpointFrame): void {
  const max = lines === 1 ? MAX_LINE_BYTES : FRAME_RAW_BYTES;
  if (raw_bytes > max || length > raw_bytes + MAX_OVERHEAD_BYTES)
    throw new CorruptValueError('A frame of the checkpoint says it is longer than frames may be');
}
