/** A frame of any bytes among LZ4 frames: `lz4 -d` of the whole passes over it. */
import { corrupt } from './lz4-frame.ts';

const MAGIC = 0x184d2a50;
/** Magic and size. */
const HEADER_BYTES = 8;

export function toSkippable(payload: Uint8Array): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

/** The payload, a view of `frame`. @throws {CorruptValueError} it is not one skippable frame and nothing else. */
export function fromSkippable(frame: Buffer): Buffer {
  if (frame.length < HEADER_BYTES || frame.readUInt32LE(0) !== MAGIC) throw corrupt('it is not one to be passed over');
  if (frame.readUInt32LE(4) !== frame.length - HEADER_BYTES) throw corrupt('it does not end where it must');
  return frame.subarray(HEADER_BYTES);
}
