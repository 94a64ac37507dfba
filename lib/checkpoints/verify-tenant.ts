/** Reads all that a checkpoint has of a tenant, and believes nothing: digests, lengths, lines and their order, keys. */
import { linesOf } from '../blobs/ndjson.ts';
import { AppError, CorruptValueError, KeyRefusedError } from '../errors.ts';
import { decodeLine, orderOf } from './format/checkpoint-line.ts';
import type { CheckpointObject } from './format/checkpoint-object.ts';
import { type ObjectSource, readFrames } from './format/frame-reader.ts';
import type { CheckpointTenant } from './format/manifest-schema.ts';
import { readState } from './format/state-object.ts';
import { compareUtf8 } from './format/utf8-order.ts';

/** Where to go on. */
export interface VerifyPlace {
  /** How many objects of the tenant were read. */
  readonly objects: number;
  /** Order of the last line that was read of the run which is under way; null: none. */
  readonly last: string | null;
}

export const FIRST_OBJECT: VerifyPlace = { objects: 0, last: null };

export interface VerifiedObject {
  readonly name: string;
  readonly frames: number;
  /** As the manifest says. */
  readonly bytes: number;
  /** Why it cannot be used; says nothing of what stands there. Null: it can be. */
  readonly reason: string | null;
  /** Behind it. */
  readonly next: VerifyPlace;
}

interface Part {
  readonly object: CheckpointObject;
  /** Number of its run; null: it is the tenant's state. */
  readonly run: number | null;
}

/**
 * Object by object, the state first, then the runs; a frame is held at a time. Damage is told and the next object is read.
 * @param source where the objects of the tenant are, and what opens them. @param from ends of an earlier call's.
 * @throws what may go well another time: S3 or the key provider does not answer. @throws when `signal` aborts.
 */
export async function* verifyTenant(
  line: CheckpointTenant,
  source: ObjectSource,
  signal?: AbortSignal,
  from: VerifyPlace = FIRST_OBJECT,
): AsyncGenerator<VerifiedObject> {
  const parts = partsOf(line);
  let last = from.last;
  for (let at = from.objects; at < parts.length; at++) {
    signal?.throwIfAborted();
    const { object, run } = parts[at] as Part;
    if (run !== parts[at - 1]?.run) last = null;
    let reason: string | null = null;
    try {
      if (run === null) await readState(object, source);
      else last = await readInOrder(object, source, last);
    } catch (error) {
      signal?.throwIfAborted();
      reason = reasonOf(error);
      // What is behind damage is compared with nothing.
      last = null;
    }
    const { name, frames, bytes } = object;
    yield { name, frames: frames.length, bytes, reason, next: { objects: at + 1, last } };
  }
}

function partsOf({ state, runs }: CheckpointTenant): readonly Part[] {
  const ofRuns = runs.flatMap(({ objects }, run) => objects.map((object) => ({ object, run })));
  return state === null ? ofRuns : [{ object: state, run: null }, ...ofRuns];
}

/** @returns the order of its last line. */
async function readInOrder(object: CheckpointObject, source: ObjectSource, before: string | null): Promise<string> {
  let last = before;
  for await (const content of readFrames(object, source)) {
    for (const bytes of linesOf(content)) {
      const order = orderOf(decodeLine(bytes.toString('utf8')));
      if (last !== null && compareUtf8(last, order) >= 0)
        throw new CorruptValueError('The lines of the checkpoint are out of order');
      last = order;
    }
  }
  return last as string;
}

/** Of what another try would not change. */
function reasonOf(error: unknown): string {
  const mayPass = error instanceof AppError && [429, 503, 504].includes(error.status);
  if (!(error instanceof AppError) || (mayPass && !(error instanceof KeyRefusedError))) throw error;
  return error.message;
}
