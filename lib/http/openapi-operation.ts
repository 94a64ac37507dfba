/** One operation of the OpenAPI document. */
import type * as z from 'zod';
import { exampleOf } from '../docs/examples.ts';
import { tagOf } from '../docs/tags.ts';
import type { Contract, Guard } from './contract.ts';
import { describeParameters } from './openapi-parameters.ts';
import { describeReplies } from './openapi-replies.ts';
import { describeSchema } from './openapi-schemas.ts';
import type { MediaType, Operation } from './openapi-types.ts';

/** The names of the security schemes, both of them HTTP Bearer. */
export const ADMIN_KEY = 'adminKey';
export const TENANT_KEY = 'tenantKey';

/** `/cache/{namespace}/{key+}` as OpenAPI writes it: it knows no parameter with slashes. */
export const openApiPath = (path: string): string => path.replaceAll('+}', '}');

export function describeOperation(contract: Contract): Operation {
  const parameters = describeParameters(contract);
  return {
    operationId: contract.name,
    summary: contract.summary,
    description: `${whoMay(contract.guard)}${howLimitsFail(contract)}`,
    tags: [tagOf(contract.path).name],
    security: securityOf(contract.guard),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...describeBody(contract),
    responses: describeReplies(contract),
  };
}

/** In words: which key the endpoint takes. */
export function whoMay(guard: Guard): string {
  if (guard.kind === 'open') return 'Takes no key.';
  if (guard.kind === 'admin') return 'Takes the admin key.';
  return guard.scope === 'none' ? 'Takes any tenant key.' : `Takes a tenant key with the scope \`${guard.scope}\`.`;
}

/** In words: what happens while nobody can be asked; nothing is said of routes that are closed then, as most are. */
const howLimitsFail = ({ whenLimitsFail }: Contract): string =>
  whenLimitsFail === 'open'
    ? ' While the store cannot be reached, it stays open to a key that was admitted within the last 5 minutes, if the request says so; else it answers 503.'
    : '';

function securityOf(guard: Guard): Operation['security'] {
  if (guard.kind === 'open') return [];
  if (guard.kind === 'admin') return [{ [ADMIN_KEY]: [] }];
  return [{ [TENANT_KEY]: guard.scope === 'none' ? [] : [guard.scope] }];
}

function describeBody({ name, body, bodyMayBeAbsent }: Contract): Pick<Operation, 'requestBody'> {
  if (body === undefined) return {};
  const { body: example } = exampleOf(name);
  const content: Readonly<Record<string, MediaType>> =
    body === 'bytes' ? { '*/*': {}, 'application/json': { schema: {}, example } } : describeJson(body, example);
  return { requestBody: { required: bodyMayBeAbsent !== true, content } };
}

const describeJson = (schema: z.ZodType, example: unknown) => ({
  'application/json': { schema: describeSchema(schema, 'input'), ...(example === undefined ? {} : { example }) },
});
