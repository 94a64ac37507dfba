/** So that sums of what is used and held stay exact. */
export const MAX_AMOUNT = 1_000_000_000_000_000;
export const MIN_TTL_SECONDS = 1;
export const MAX_TTL_SECONDS = 3_600;
export const DEFAULT_TTL_SECONDS = 60;
