/** Reads a stated list of tariffs, as JSON, and checks it whole: a half-good price list prices nothing. */
import { PERIOD_NAME } from '../gate/period.ts';
import { PLANS, type PlanPrices, type Tariff } from './tariff.ts';

/** A million units of the currency for one unit of a price: amounts of an invoice stay far below 2^53. */
const MAX_PRICE_MICROS = 1_000_000_000_000;
const MAX_TARIFFS = 200;

/** Of a plan: the numbers of each part. `base_fee_micros` stands alone. */
const PARTS = {
  operations: ['included', 'micros_per_million'],
  data_transfer: ['included_bytes', 'micros_per_gib'],
  compute: ['included_ms', 'micros_per_hour'],
  hot_storage: ['included_bytes', 'micros_per_gib_month'],
  cold_storage: ['included_bytes', 'micros_per_gib_month'],
} as const satisfies { readonly [P in Exclude<keyof PlanPrices, 'base_fee_micros'>]: readonly (keyof PlanPrices[P])[] };

/** Says what was expected and where, as `a whole number at [0].plans.free.base_fee_micros`; repeats no value. */
export class TariffsError extends RangeError {
  constructor(expected: string, path: string) {
    super(path === '' ? expected : `${expected} at ${path}`);
    this.name = 'TariffsError';
  }
}

/**
 * @param json a list of tariffs. Numbers may be texts, as they come from a file.
 * @throws {TariffsError} naming the first part that is wrong.
 */
export function readTariffs(json: string): readonly Tariff[] {
  const list = parse(json);
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_TARIFFS) {
    throw new TariffsError(`a JSON list of 1 to ${MAX_TARIFFS} tariffs`, '');
  }
  const tariffs = list.map((item, i) => readTariff(item, `[${i}]`));
  tariffs.forEach((tariff, i) => {
    const before = tariffs.slice(0, i);
    if (before.some(({ version }) => version === tariff.version)) {
      throw new TariffsError('a version of its own', `[${i}].version`);
    }
    if (before.some(({ effective_from }) => effective_from >= tariff.effective_from)) {
      throw new TariffsError('a later month than of the tariff before', `[${i}].effective_from`);
    }
  });
  return tariffs;
}

function readTariff(value: unknown, path: string): Tariff {
  const { version, effective_from, plans } = fields(value, path, ['version', 'effective_from', 'plans']);
  if (typeof version !== 'string' || !/^[\w.-]{1,40}$/.test(version)) {
    throw new TariffsError('1 to 40 letters, digits and . _ -', `${path}.version`);
  }
  if (typeof effective_from !== 'string' || !PERIOD_NAME.test(effective_from)) {
    throw new TariffsError('a month, as 2026-11', `${path}.effective_from`);
  }
  const read = fields(plans, `${path}.plans`, PLANS);
  return {
    version,
    effective_from,
    plans: byName(PLANS, (plan) => readPrices(read[plan], `${path}.plans.${plan}`)),
  };
}

function readPrices(value: unknown, path: string): PlanPrices {
  const names = ['base_fee_micros', ...(Object.keys(PARTS) as (keyof typeof PARTS)[])] as const;
  const { base_fee_micros, ...parts } = fields(value, path, names);
  const read = Object.entries(PARTS).map(([part, numbers]) => {
    const at = `${path}.${part}`;
    const given = fields(parts[part as keyof typeof PARTS], at, numbers);
    return [part, byName(numbers, (name) => readNumber(given[name], `${at}.${name}`))] as const;
  });
  const fee = readNumber(base_fee_micros, `${path}.base_fee_micros`);
  return { base_fee_micros: fee, ...Object.fromEntries(read) } as unknown as PlanPrices;
}

/** Exactly these fields: a name written wrongly must not pass as nothing. */
function fields<const N extends string>(value: unknown, path: string, names: readonly N[]): Record<N, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TariffsError(`${names.join(', ')}`, path);
  }
  const missing = names.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) throw new TariffsError('a value', `${path}.${missing}`);
  if (Object.keys(value).length > names.length) throw new TariffsError(`only ${names.join(', ')}`, path);
  return value as Record<N, unknown>;
}

function readNumber(value: unknown, path: string): number {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  const max = path.includes('micros') ? MAX_PRICE_MICROS : Number.MAX_SAFE_INTEGER;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= max) return number;
  throw new TariffsError(`a whole number from 0 to ${max}`, path);
}

function byName<const N extends string, T>(names: readonly N[], make: (name: N) => T): Record<N, T> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<N, T>;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined; // refused by the caller, without the text
  }
}
