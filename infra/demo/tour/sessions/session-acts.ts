/** The part of the tour that is about sessions. */
import type { Act } from '../stage.ts';
import { proveLogout } from './prove-logout.ts';
import { proveRotation } from './prove-rotation.ts';
import { proveSpillover } from './prove-spillover.ts';
import { proveUpdates } from './prove-updates.ts';

export const SESSION_ACTS: readonly Act[] = [proveUpdates, proveLogout, proveRotation, proveSpillover];
