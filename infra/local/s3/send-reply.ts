import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { S3Error } from './s3-error.ts';
import type { S3Reply } from './s3-operation.ts';
import { element, textElement } from './xml.ts';

/** Sends an operation's reply and closes the object it opened. @param isHead nothing but headers is sent. */
export async function sendReply(response: ServerResponse, reply: S3Reply, isHead: boolean): Promise<void> {
  const { object, xml, status, headers = {} } = reply;
  if (object === undefined) return sendText(response, { status, headers, xml: xml ?? '' }, isHead);
  try {
    response.writeHead(status, headers);
    if (isHead || object.range === null) return void response.end();
    await pipeline(object.handle.createReadStream({ ...object.range, autoClose: false }), response);
  } finally {
    await object.handle.close();
  }
}

/** Sends an error as S3 writes it. What is no S3Error is a bug: it answers 500 and is printed. */
export function sendError(response: ServerResponse, error: unknown, isHead: boolean): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  const known =
    error instanceof S3Error ? error : new S3Error(500, 'InternalError', 'We encountered an internal error.');
  if (!(error instanceof S3Error)) console.error('s3 endpoint:', error);
  const requestId = textElement('RequestId', String(response.getHeader('x-amz-request-id')));
  const xml = element('Error', textElement('Code', known.code), textElement('Message', known.message), requestId);
  sendText(
    response,
    { status: known.status, headers: {}, xml: `<?xml version="1.0" encoding="UTF-8"?>\n${xml}` },
    isHead,
  );
}

function sendText(
  response: ServerResponse,
  { status, headers, xml }: { status: number; headers: Readonly<Record<string, string | number>>; xml: string },
  isHead: boolean,
): void {
  const body = Buffer.from(isHead ? '' : xml);
  const type = xml === '' ? {} : { 'content-type': 'application/xml' };
  const length = status === 204 || status === 304 ? {} : { 'content-length': body.length };
  response.writeHead(status, { ...type, ...length, ...headers });
  response.end(body);
}
