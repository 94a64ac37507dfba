/** What every script that opens the gate is given first, in this order. */
export const GATE_ARGS = ['keyField', 'scope', 'context', 'carriedUs', 'route'] as const;
export type GateArg = (typeof GATE_ARGS)[number];
/** Keys that gate.ts gives: the second to scripts that may have to free what was reserved and abandoned. */
export type GateKey = 'gate' | 'holds';
