import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import type * as z from 'zod';
import { exampleOf } from '../../lib/docs/examples.ts';
import { Problem } from '../../lib/docs/problem.ts';
import { PROBLEM_CODES } from '../../lib/docs/problem-codes.ts';
import type { Contract } from '../../lib/http/contract.ts';
import { allContracts } from '../../lib/http/contracts.ts';
import { openApiDocument } from '../../lib/http/openapi.ts';
import { openApiPath } from '../../lib/http/openapi-operation.ts';
import { componentSchemas, describeSchema } from '../../lib/http/openapi-schemas.ts';
import type { Operation } from '../../lib/http/openapi-types.ts';

const contracts: readonly Contract[] = allContracts;
const document = openApiDocument();
const operationOf = (name: string): Operation => {
  const contract = contracts.find((each) => each.name === name) as Contract;
  return document.paths[openApiPath(contract.path)]?.[contract.method.toLowerCase()] as Operation;
};

describe('the OpenAPI document [A15]', () => {
  it('is valid OpenAPI 3.1, by a validator that is not ours', async () => {
    const result = await new Validator().validate(JSON.parse(JSON.stringify(document)));
    expect(result.errors).toBeUndefined();
    expect(result.valid).toBe(true);
  });

  it('holds nothing that a reference does not reach, and no reference that reaches nothing', () => {
    const targets = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(\w+)\/([^"]+)"/g)];
    for (const [, group, name] of targets) {
      expect(document.components[group as 'schemas'], `${group} ${name}`).toHaveProperty([name as string]);
    }
    for (const group of ['parameters', 'headers'] as const) {
      const used = targets.filter(([, kind]) => kind === group).map(([, , name]) => name);
      expect(Object.keys(document.components[group]).filter((name) => !used.includes(name))).toEqual([]);
    }
  });

  it('names its schemas as the wire contract does', () => {
    expect(Object.keys(document.components.schemas)).toEqual(
      expect.arrayContaining(['CreateTenantRequest', 'TenantResponse', 'CreateKeyRequest', 'KeyResponse', 'Problem']),
    );
    const inline = contracts.flatMap(({ body, replies }) =>
      [body, ...Object.values(replies).map(({ schema }) => schema)].filter(
        (schema): schema is z.ZodType =>
          typeof schema === 'object' && ![...componentSchemas().values()].includes(schema),
      ),
    );
    expect(inline).toEqual([]);
  });

  it('describes a shared part alike where it is sent and where it is received', () => {
    for (const [name, schema] of componentSchemas()) {
      if (/Request$|Response$/.test(name) || name === 'Problem') continue;
      expect(describeSchema(schema.clone(), 'input'), name).toEqual(describeSchema(schema.clone(), 'output'));
    }
  });

  it.each(contracts)('gives $name its guard, its replies and a problem for each status', (contract) => {
    const operation = operationOf(contract.name);
    const scheme = { open: undefined, admin: 'adminKey', tenant: 'tenantKey' }[contract.guard.kind];
    expect(operation.security.flatMap((one) => Object.keys(one))).toEqual(scheme === undefined ? [] : [scheme]);
    expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(Object.keys(contract.replies)));
    for (const code of contract.problems) {
      const { status } = PROBLEM_CODES[code as keyof typeof PROBLEM_CODES];
      expect(operation.responses[status]?.['x-problem-codes']).toContain(code);
    }
  });

  it('writes a greedy parameter without its plus, and says that it may hold slashes', () => {
    expect(Object.keys(document.paths)).toContain('/cache/{namespace}/{key}');
    const key = operationOf('getEntry').parameters?.find(
      (parameter) => 'name' in parameter && parameter.name === 'key',
    );
    expect(key).toMatchObject({ in: 'path', required: true, description: expect.stringContaining('slashes') });
  });

  it('offers Idempotency-Key where it is kept, and rate headers where a tenant is limited', () => {
    const idempotency = { $ref: '#/components/parameters/IdempotencyKey' };
    expect(operationOf('createKey').parameters).toContainEqual(idempotency);
    expect(operationOf('putEntry').parameters).not.toContainEqual(idempotency);
    expect(operationOf('putEntry').responses[429]?.headers).toHaveProperty('Retry-After');
    expect(operationOf('putEntry').responses[201]?.headers).toHaveProperty('RateLimit');
    expect(operationOf('checkLive').responses[200]?.headers).not.toHaveProperty('RateLimit');
  });

  it('lets a reply grow: only what is sent is closed to unknown fields', () => {
    const { CreateTenantRequest, TenantResponse } = document.components.schemas;
    expect(CreateTenantRequest).toHaveProperty('additionalProperties', false);
    expect(TenantResponse).not.toHaveProperty('additionalProperties');
    expect(TenantResponse).toHaveProperty('properties.id.pattern');
  });
});

describe('examples are what the service takes and gives [A15]', () => {
  it.each(contracts)('$name', ({ name, params, query, headers, body, replies }) => {
    const example = exampleOf(name);
    if (params !== undefined) params.parse(example.params);
    if (query !== undefined) query.parse(example.query ?? {});
    if (headers !== undefined) headers.parse(example.headers ?? {});
    if (typeof body === 'object') body.parse(example.body);
    const [schema] = Object.values(replies).flatMap((reply) => reply.schema ?? []);
    if (example.reply !== undefined) expect(schema?.parse(example.reply)).toEqual(example.reply);
  });

  it('shows each problem as the door would send it', () => {
    for (const [code, { value }] of Object.entries(document.components.examples)) {
      expect(Problem.parse(value)).toMatchObject({ code, type: `urn:riptide:problem:${code}` });
    }
  });
});
