/** Unix ms as it stands in replies and records: ISO 8601, UTC, with milliseconds. @throws {RangeError} not a time. */
export const isoOf = (ms: number): string => new Date(ms).toISOString();

/** As {@link isoOf}; null stays null. */
export const isoOrNull = (ms: number | null): string | null => (ms === null ? null : isoOf(ms));
