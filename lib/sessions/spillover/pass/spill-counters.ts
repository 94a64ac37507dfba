/** What was moved between Redis and S3 of a tenant's sessions: field `sp` of its gate, written by redis/scripts/includes/spill-counters.lua. */

/** All only ever grow. */
export interface SpillMoves {
  /** Sessions. */
  readonly spilled: number;
  readonly restored: number;
  /** Batches. */
  readonly spillOperations: number;
  readonly restoreOperations: number;
  readonly spillUs: number;
  readonly restoreUs: number;
}

export const NO_MOVES: SpillMoves = {
  spilled: 0,
  restored: 0,
  spillOperations: 0,
  restoreOperations: 0,
  spillUs: 0,
  restoreUs: 0,
};

/** `sp1,<spilled>,<restored>,<spill operations>,<restore operations>,<spill µs>,<restore µs>`; null: nothing was. @throws {RangeError} not written there. */
export function unpackMoves(text: string | null): SpillMoves {
  if (text === null) return NO_MOVES;
  if (!/^sp1(?:,\d+){6}$/.test(text)) throw new RangeError('Not what was moved of sessions');
  const [, spilled, restored, spillOperations, restoreOperations, spillUs, restoreUs] = text.split(',').map(Number);
  return { spilled, restored, spillOperations, restoreOperations, spillUs, restoreUs } as SpillMoves;
}

export const addMoves = (one: SpillMoves, other: SpillMoves): SpillMoves => ({
  spilled: one.spilled + other.spilled,
  restored: one.restored + other.restored,
  spillOperations: one.spillOperations + other.spillOperations,
  restoreOperations: one.restoreOperations + other.restoreOperations,
  spillUs: one.spillUs + other.spillUs,
  restoreUs: one.restoreUs + other.restoreUs,
});
