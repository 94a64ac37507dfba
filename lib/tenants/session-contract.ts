/** How a tenant's sessions are to live and where, as a field of the tenant: what it takes and gives. */
import * as z from 'zod';
import { Count } from '../http/fields.ts';

/** A year: the longest lifetime a deployment can be set to. */
export const MAX_SESSION_SECONDS = 31_536_000;
export const MIN_HOT_BYTES = 65_536;
/** As of a quota: what counts bytes stays exact. */
const MAX_HOT_BYTES = 1_000_000_000_000_000;

const Lifetime = z.int().min(1).max(MAX_SESSION_SECONDS);

/** What is not named is as the deployment is set. */
export const SessionSettingsRequest = z
  .strictObject({
    timeout_seconds: Lifetime.optional().describe(
      'Idle lifetime of a session that names none. Never longer than a session may live at all.',
    ),
    max_lifetime_seconds: Lifetime.optional().describe(
      'How long a session lives at most, however often it is used. The deployment’s own limit holds where that is shorter.',
    ),
    spill_threshold_ratio: z
      .number()
      .min(0.1)
      .max(0.99)
      .optional()
      .describe('Part of the memory its sessions may take above which the least recently used are moved to S3.'),
    max_hot_bytes: z
      .int()
      .min(MIN_HOT_BYTES)
      .max(MAX_HOT_BYTES)
      .optional()
      .describe(
        'Memory that its sessions take at most; what is more is moved to S3. Default: what the deployment has.',
      ),
  })
  .refine(({ timeout_seconds: idle = 0, max_lifetime_seconds: whole = MAX_SESSION_SECONDS }) => idle <= whole, {
    path: ['timeout_seconds'],
    error: 'must be at most max_lifetime_seconds',
  });

/** Not strict: a client of today reads the reply of tomorrow. */
export const SessionSettingsResponse = z.object({
  timeout_seconds: Count.optional(),
  max_lifetime_seconds: Count.optional(),
  spill_threshold_ratio: z.number().optional(),
  max_hot_bytes: Count.optional(),
});
export type SessionSettingsResponse = z.output<typeof SessionSettingsResponse>;
