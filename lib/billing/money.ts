/** Money in micro-units: millionths of the currency, as whole numbers of any size. */

/** `part / whole` to the nearest whole number; an exact half goes away from zero. `whole` is above 0. */
export function divideRounded(part: bigint, whole: bigint): bigint {
  const doubled = 2n * (part < 0n ? -part : part) + whole;
  const magnitude = doubled / (2n * whole);
  return part < 0n ? -magnitude : magnitude;
}

/** `part / whole`, up to the next whole number. `part` is at least 0, `whole` above 0. */
export const divideUp = (part: bigint, whole: bigint): bigint => (part + whole - 1n) / whole;

/** As people write it: `-12.5` units are `-12.500000`. */
export function decimalOf(micros: bigint): string {
  const digits = String(micros < 0n ? -micros : micros).padStart(7, '0');
  return `${micros < 0n ? '-' : ''}${digits.slice(0, -6)}.${digits.slice(-6)}`;
}

/** For JSON. @throws {RangeError} more than nine billion units of the currency: a double would lose micros. */
export function numberOf(micros: bigint): number {
  const number = Number(micros);
  if (!Number.isSafeInteger(number)) throw new RangeError('An amount of money passes what JSON carries exactly');
  return number;
}
