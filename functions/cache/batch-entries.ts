/** POST /cache/{namespace}: reads, stores or removes many entries. 200 and what became of each. */
import { runBatch } from '../../lib/cache/batch/batch-answer.ts';
import { batchEntriesContract } from '../../lib/cache/batch/batch-contract.ts';
import { route } from '../../lib/http/route.ts';

export const handler = route(batchEntriesContract, async ({ params, body }, { cache }, { caller, operationId }) => ({
  status: 200,
  data: { items: await runBatch(cache, { caller, namespace: params.namespace, body, operation: operationId() }) },
}));
