/** What a tenant's record says of its sessions, as the gate hands it to instances: pure. */
import { defined } from '../defined.ts';
import type { SessionChoices } from '../gate/session-choices.ts';
import type { SessionSettingsResponse } from './session-contract.ts';

/** Without what says nothing: a tenant that chose nothing has `{}`. */
export function sessionChoicesOf(settings: SessionSettingsResponse = {}): SessionChoices {
  const { timeout_seconds, max_lifetime_seconds, spill_threshold_ratio, max_hot_bytes } = settings;
  return defined({ timeout_seconds, max_lifetime_seconds, spill_threshold_ratio, max_hot_bytes });
}
