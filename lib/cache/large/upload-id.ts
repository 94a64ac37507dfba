/** What a caller is told to name its upload by: `<ulid>.<announced bytes>.<when it is over, Unix ms>`. Pure. */

export interface UploadId {
  readonly ulid: string;
  readonly bytes: number;
  readonly untilMs: number;
}

const UPLOAD_ID = /^([0-7][0-9a-hjkmnp-tv-z]{25})\.([1-9]\d{0,9})\.([1-9]\d{12})$/;

export const packUploadId = ({ ulid, bytes, untilMs }: UploadId): string => `${ulid}.${bytes}.${untilMs}`;

/**
 * Null: it is none. Nothing in it is believed: the object's real length and its name in the tenant's own index, with that very
 * time, decide.
 */
export function readUploadId(text: string): UploadId | null {
  const [, ulid, bytes, untilMs] = UPLOAD_ID.exec(text) ?? [];
  return ulid === undefined ? null : { ulid, bytes: Number(bytes), untilMs: Number(untilMs) };
}
