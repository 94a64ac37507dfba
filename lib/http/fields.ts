/** Schemas of values that many contracts share. */
import * as z from 'zod';
import { TENANT_ID, type TenantId } from '../ids.ts';

/** Text a person wrote: well-formed Unicode, no control characters, `max` characters at most. */
export const text = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .refine((value) => value.isWellFormed(), 'must be well-formed Unicode')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
    .refine((value) => !/[\x00-\x1f\x7f]/.test(value), 'must not hold control characters');

export const TenantIdField = z
  .string()
  .regex(TENANT_ID, 'must be a tenant id, as tenant-01h…')
  .transform((id) => id as TenantId);

/** ISO 8601, UTC; after 1970, because Unix time 0 means "never" where times are stored. */
export const Instant = z.iso
  .datetime({ error: 'must be a time in UTC, as 2026-11-21T08:00:00Z', abort: true })
  .refine((at) => Date.parse(at) > 0, 'must be after 1970-01-01T00:00:00Z');

export const Switch = z.enum(['true', 'false']).optional();
/** Of what removes or replaces. */
export const DryRun = Switch.describe('true: says what it would do, and changes nothing.');

/** A whole number a double holds exactly. */
export const Count = z.int().nonnegative();
