/** PUT /cache/{namespace}/{key+}: stores the body, or what was uploaded, byte for byte. 201 when new, else 200; 202: upload it. */
import { putEntryContract } from '../../lib/cache/put-contract.ts';
import { readPut, readPutMeta, requireNoBody, toBegunResponse, toPutResponse } from '../../lib/cache/put-request.ts';
import { route } from '../../lib/http/route.ts';

export const handler = route(putEntryContract, async (input, { cache }, { caller }) => {
  const { params, body } = input;
  const { upload_bytes: announced, upload_id: uploadId } = input.query;
  if (announced !== undefined || uploadId !== undefined) requireNoBody(body);
  if (announced !== undefined) {
    const begun = await cache.beginUpload(caller, params, announced);
    return { status: 202, data: toBegunResponse(begun, params) };
  }
  const outcome =
    uploadId === undefined
      ? await cache.set(caller, params, readPut(input))
      : await cache.commitUpload(caller, params, uploadId, readPutMeta(input));
  return {
    status: outcome.created ? 201 : 200,
    headers: { etag: `"${outcome.etag}"` },
    data: toPutResponse(outcome),
  };
});
