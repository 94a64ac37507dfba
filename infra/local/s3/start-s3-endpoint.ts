import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listenOnLoopback } from '../aws/listen.ts';
import type { Credentials } from '../aws/signature.ts';
import { authorise } from './authorise.ts';
import { openBucketStore } from './bucket-store.ts';
import { findOperation } from './find-operation.ts';
import type { S3Deps } from './s3-operation.ts';
import { parseRequest } from './s3-request.ts';
import { sendError, sendReply } from './send-reply.ts';
import { openUploadStore } from './upload-store.ts';

/** How to start it. */
export interface S3EndpointOptions {
  /** Holds everything; made when missing. One endpoint at a time. */
  readonly dir: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** 0: a free one. */
  readonly port?: number;
  readonly region?: string;
  /** Largest object and largest part. Default 5 GiB, S3's own limit for one call. */
  readonly maxObjectBytes?: number;
}

/** A running endpoint. */
export interface S3Endpoint {
  /** `http://127.0.0.1:<port>`; buckets are in the path. */
  readonly url: string;
  readonly port: number;
  /** Cuts every connection; resolves when the port is free and nothing writes to the directory any more. */
  stop(): Promise<void>;
}

const GIBIBYTE = 1024 ** 3;

/**
 * Starts a subset of S3 on the loopback interface, for development and tests: an object is on the disk before its 200,
 * and an operation it does not know answers 501.
 * @throws when the directory cannot be used or the port is taken.
 */
export async function startS3Endpoint(options: S3EndpointOptions): Promise<S3Endpoint> {
  const { dir, accessKeyId, secretAccessKey, port = 0, region = 'us-east-1', maxObjectBytes = 5 * GIBIBYTE } = options;
  const now = Date.now;
  const buckets = await openBucketStore(dir);
  const uploads = await openUploadStore(dir, now());
  const answer = createAnswer(
    { buckets, uploads, region, maxObjectBytes, now },
    { accessKeyId, secretAccessKey, region },
  );
  const underWay = new Set<Promise<void>>();
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const answered = answer(request, response).finally(() => underWay.delete(answered));
    underWay.add(answered);
  });
  const listening = await listenOnLoopback(server, port);
  return {
    ...listening,
    async stop() {
      await listening.stop();
      // Their files are finished or removed before another endpoint may open the directory.
      await Promise.all(underWay);
    },
  };
}

/** Who is it, what do they want, do it: in this order, so nothing is learned without a signature. */
function createAnswer(deps: S3Deps, credentials: Credentials) {
  return async (source: IncomingMessage, response: ServerResponse): Promise<void> => {
    const isHead = source.method === 'HEAD';
    response.setHeader('x-amz-request-id', randomUUID());
    try {
      const request = parseRequest(source);
      const payload = authorise(request, credentials, deps.now());
      const reply = await findOperation(request).run({ request, payload }, deps);
      await sendReply(response, reply, isHead);
    } catch (error) {
      sendError(response, error, isHead);
    }
  };
}
