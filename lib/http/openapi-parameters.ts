/** Path, query and header parameters of a contract. */
import type * as z from 'zod';
import { exampleOf } from '../docs/examples.ts';
import { takesIdempotencyKey } from '../docs/route-problems.ts';
import type { Contract } from './contract.ts';
import { describeSchema } from './openapi-schemas.ts';
import type { JsonSchema, Parameter, Reference } from './openapi-types.ts';

/** Parameters that many endpoints take, as components. */
export const SHARED_PARAMETERS: Readonly<Record<string, Parameter>> = {
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description:
      'Makes repeating safe: the first answer is kept for 24 hours and given again, with `Idempotency-Status: replayed`. 1 to 255 printable ASCII characters.',
    schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' },
  },
  Traceparent: {
    name: 'traceparent',
    in: 'header',
    required: false,
    description: 'W3C Trace Context; given back with the answer.',
    schema: { type: 'string', pattern: '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$' },
  },
};

/** OpenAPI has no say in these: they are described by the body and the security scheme. */
const NOT_PARAMETERS = new Set(['content-type', 'accept', 'authorization']);

/** All parameters of a route, the shared ones last. */
export function describeParameters(contract: Contract): readonly (Parameter | Reference)[] {
  const example = exampleOf(contract.name);
  const own = [
    ...describePart('path', contract.params, example.params),
    ...describePart('query', contract.query, example.query),
    ...describePart('header', contract.headers, example.headers),
  ].filter(({ name }) => !NOT_PARAMETERS.has(name));
  const shared = takesIdempotencyKey(contract) ? ['IdempotencyKey', 'Traceparent'] : ['Traceparent'];
  return [
    ...own.map((parameter) => (isGreedy(contract, parameter) ? { ...parameter, description: GREEDY } : parameter)),
    ...shared.map((name) => ({ $ref: `#/components/parameters/${name}` })),
  ];
}

const GREEDY =
  'May hold slashes: it is the rest of the path. Percent-encode each segment; `?`, `#`, control characters and the segments `.` and `..` cannot travel here.';

const isGreedy = ({ path }: Contract, parameter: Parameter) =>
  parameter.in === 'path' && path.includes(`{${parameter.name}+}`);

function describePart(
  part: Parameter['in'],
  schema: z.ZodType | undefined,
  examples: Readonly<Record<string, unknown>> = {},
): readonly Parameter[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = describeSchema(schema, 'input') as {
    readonly properties?: Readonly<Record<string, JsonSchema>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: part,
    required: part === 'path' || required.includes(name),
    ...(typeof description === 'string' ? { description } : {}),
    schema: rest,
    ...(name in examples ? { example: examples[name] } : {}),
  }));
}
