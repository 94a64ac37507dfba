/** The parts of an API Gateway HTTP API v2 event and reply, and of Lambda's context, that this service uses. */
export interface HttpEvent {
  readonly version?: string;
  readonly routeKey?: string;
  readonly rawPath?: string;
  readonly rawQueryString?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly pathParameters?: Readonly<Record<string, string | undefined>>;
  readonly queryStringParameters?: Readonly<Record<string, string | undefined>>;
  readonly requestContext?: {
    readonly requestId?: string;
    readonly http?: { readonly method?: string; readonly path?: string; readonly sourceIp?: string };
  };
  readonly body?: string | null;
  readonly isBase64Encoded?: boolean;
}

export interface HttpReply {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly isBase64Encoded?: boolean;
}

/** Bytes of the largest event and reply, as sent to and from Lambda. Source: Lambda quotas, synchronous payload. */
export const MAX_LAMBDA_BYTES = 6_291_456;
/** Bytes of the largest body taken or given as it is: base64 of it still fits into {@link MAX_LAMBDA_BYTES}. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;
