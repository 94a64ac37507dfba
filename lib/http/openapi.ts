/** The OpenAPI 3.1 document, made from the schemas that validate. Only the functions of the documentation load this. */
import { TAGS } from '../docs/tags.ts';
import { SCOPES } from '../gate/scope.ts';
import { allContracts } from './contracts.ts';
import { ADMIN_KEY, describeOperation, openApiPath, TENANT_KEY } from './openapi-operation.ts';
import { SHARED_PARAMETERS } from './openapi-parameters.ts';
import { describeProblemExamples, SHARED_HEADERS } from './openapi-replies.ts';
import { describeComponents } from './openapi-schemas.ts';
import type { OpenApiDocument, Operation } from './openapi-types.ts';

/** Of this API's description; it follows the package's version. */
const VERSION = '0.1.0';

const ABOUT = `Persistence for many tenants over HTTP.

Keys go as \`Authorization: Bearer <key>\`: the admin key below \`/admin\`, a tenant's API key for the rest. JSON is snake_case, times are ISO 8601 in UTC, names say their units (\`_bytes\`, \`_ms\`, \`_seconds\`). Every refusal and fault is a problem (RFC 9457) whose \`code\` never changes. \`Retry-After\` says when to come back.`;

let built: OpenApiDocument | undefined;

/** The document; built on the first call, and kept. */
export function openApiDocument(): OpenApiDocument {
  built ??= buildDocument();
  return built;
}

function buildDocument(): OpenApiDocument {
  return {
    openapi: '3.1.1',
    info: {
      title: 'Riptide',
      version: VERSION,
      summary: 'Serverless persistence for many tenants',
      description: ABOUT,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    tags: TAGS.map(({ name, description }) => ({ name, description })),
    paths: describePaths(),
    components: {
      schemas: describeComponents(),
      securitySchemes: SECURITY_SCHEMES,
      parameters: SHARED_PARAMETERS,
      headers: SHARED_HEADERS,
      examples: describeProblemExamples(),
    },
  };
}

const SECURITY_SCHEMES = {
  [ADMIN_KEY]: {
    type: 'http',
    scheme: 'bearer',
    description: 'The key of the deployment, for everything below /admin.',
  },
  [TENANT_KEY]: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'rt_<tenant id>_<key id>_<secret>',
    description: `An API key of a tenant. Its scopes: ${SCOPES.map((scope) => `\`${scope}\``).join(', ')}; \`<area>:*\` or \`*\` for all.`,
  },
};

function describePaths(): OpenApiDocument['paths'] {
  const paths: Record<string, Record<string, Operation>> = {};
  for (const contract of allContracts) {
    const path = openApiPath(contract.path);
    paths[path] = { ...paths[path], [contract.method.toLowerCase()]: describeOperation(contract) };
  }
  return paths;
}
