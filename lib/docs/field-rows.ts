/** The fields of a JSON Schema as rows: name, type in words, whether it must be given. Pure. */
import type { JsonSchema } from '../http/openapi-types.ts';

export interface FieldRow {
  /** `owner.email`, `items[].key`, `routes.{name}.burst`. */
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
}

/** Resolves `#/components/schemas/<name>`. */
export type Resolve = (schema: JsonSchema) => JsonSchema;

/** Depth first, so that the fields of an object follow it; those of a list's items, of a map's values, of one or null, too. */
export function fieldRows(schema: JsonSchema, resolve: Resolve, prefix = ''): readonly FieldRow[] {
  return objectsIn(resolve(schema), resolve).flatMap(({ object, at }) => {
    const { properties = {}, required = [] } = object as ObjectSchema;
    return Object.entries(properties).flatMap(([key, property]) => {
      const field = resolve(property);
      const name = `${prefix}${at}${key}`.replace(/^\./, '');
      const type = typeText(field, resolve);
      const row = { name, type, required: required.includes(key), description: describe(field) };
      return [row, ...fieldRows(field, resolve, name)];
    });
  });
}

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

/** The objects whose fields a value may have, each with what stands between its name and theirs. */
function objectsIn(schema: JsonSchema, resolve: Resolve, at = ''): readonly { object: JsonSchema; at: string }[] {
  const inner = (part: unknown, step: string) => objectsIn(resolve(part as JsonSchema), resolve, at + step);
  const { anyOf, items, additionalProperties: values, properties } = schema;
  if (Array.isArray(anyOf)) return anyOf.flatMap((option) => inner(option, ''));
  if (items !== undefined) return inner(items, '[]');
  if (properties === undefined && typeof values === 'object') return inner(values, '.{name}');
  return properties === undefined ? [] : [{ object: schema, at: `${at}.` }];
}

const ANY = 'any value';

/** `text, 1–120 characters`, `whole number ≥ 0`, `one of free, starter`. */
export function typeText(schema: JsonSchema, resolve: Resolve = (given) => given): string {
  const of = (part: unknown) => typeText(resolve(part as JsonSchema), resolve);
  const { type, enum: values, const: only, anyOf, format } = schema;
  if (only !== undefined) return `“${only}”`;
  if (Array.isArray(values)) return `one of ${values.join(', ')}`;
  if (Array.isArray(anyOf)) return anyOf.map(of).join(' or ');
  if (Array.isArray(type)) return type.map((name) => typeText({ type: name })).join(' or ');
  if (type === 'array') return `list of ${of(schema.items ?? {})}`;
  if (type === 'object') return schema.properties === undefined ? `object, any names${valuesOf(schema, of)}` : 'object';
  if (format === 'date-time') return 'time, ISO 8601 in UTC';
  if (format === 'email') return 'e-mail address';
  if (type === 'integer') return `whole number${range(schema)}`;
  if (type === 'string') return `text${lengths(schema)}${matching(schema)}`;
  return { number: 'number', boolean: 'true or false', null: 'null' }[String(type)] ?? ANY;
}

const valuesOf = ({ additionalProperties: values }: JsonSchema, of: (part: unknown) => string) => {
  const words = typeof values === 'object' ? of(values) : ANY;
  return words === ANY ? '' : `: ${words}`;
};

function range({ minimum, maximum }: JsonSchema): string {
  const from = typeof minimum === 'number' && minimum > Number.MIN_SAFE_INTEGER ? minimum : undefined;
  const to = typeof maximum === 'number' && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined;
  if (from !== undefined && to !== undefined) return `, ${from} to ${to.toLocaleString('en')}`;
  return from === undefined ? '' : ` ≥ ${from}`;
}

function lengths({ minLength, maxLength }: JsonSchema): string {
  if (typeof maxLength !== 'number') return '';
  return `, ${typeof minLength === 'number' ? `${minLength} to ` : 'up to '}${maxLength.toLocaleString('en')} characters`;
}

/** A long pattern says less than no pattern. */
const MAX_PATTERN = 48;

const matching = ({ pattern }: JsonSchema) =>
  typeof pattern === 'string' && pattern.length <= MAX_PATTERN ? `, as ${pattern}` : '';

function describe({ description, default: preset }: JsonSchema): string {
  const said = typeof description === 'string' ? description : '';
  const default_ = preset === undefined ? '' : `Default \`${JSON.stringify(preset)}\`.`;
  return [said, default_].filter((text) => text !== '').join(' ');
}
