/** What was found when all of a checkpoint was read, as S3 keeps it beside the checkpoint: JSON. */
import * as z from 'zod';
import { TENANT_ID } from '../../ids.ts';
import { Amount, Ulid } from './checkpoint-object.ts';

export const VERDICT_FORMAT = 'cv1';
/** Problems told one by one; the others are counted. */
export const MAX_PROBLEMS = 100;
export const MAX_VERDICT_BYTES = 262_144;

export const VerifyProblem = z
  .strictObject({
    /** Null: the checkpoint's own manifest. */
    tenant: z.string().regex(TENANT_ID).nullable(),
    object: Ulid.nullable(),
    /** Says nothing of what stands there. */
    reason: z.string(),
  })
  .readonly();
export type VerifyProblem = z.infer<typeof VerifyProblem>;

export const CheckpointVerdict = z
  .strictObject({
    format: z.literal(VERDICT_FORMAT),
    at: z.iso.datetime(),
    ok: z.boolean(),
    objects: Amount,
    frames: Amount,
    bytes: Amount,
    /** Objects that cannot be used. */
    damaged: Amount,
    /** Tenants left out because they were erased: what they had is gone on purpose. */
    erased: Amount,
    /** The first {@link MAX_PROBLEMS}. */
    problems: z.array(VerifyProblem).max(MAX_PROBLEMS).readonly(),
  })
  .readonly();
export type CheckpointVerdict = z.infer<typeof CheckpointVerdict>;

export const encodeVerdict = (verdict: CheckpointVerdict): string => JSON.stringify(verdict);

/** Null: it is none that this version can read. */
export function decodeVerdict(text: string): CheckpointVerdict | null {
  try {
    return CheckpointVerdict.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
