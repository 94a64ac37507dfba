/** GET /openapi.json: this API as an OpenAPI 3.1 document. */
import { getOpenapiContract } from '../../lib/docs/contract.ts';
import { openApiReply } from '../../lib/docs/openapi-reply.ts';
import { route } from '../../lib/http/route.ts';

export const handler = route(getOpenapiContract, async () => openApiReply());
