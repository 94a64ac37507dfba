/** What of an AWS SDK error is read. Its message and fields may name keys or parts of a signature: they stay unread. */
export interface SdkError {
  readonly name: string;
  /** Of a socket error, as `ECONNREFUSED`; a DOMException has a number here. */
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
}

/** Reads what went wrong; safe for anything thrown. */
export function sdkError(error: unknown): SdkError {
  return error instanceof Error ? error : { name: 'Unknown' };
}

/** The HTTP status the service answered with; undefined when it did not answer. */
export const statusOf = (error: unknown): number | undefined => sdkError(error).$metadata?.httpStatusCode;

/** How many times the SDK had sent the request. */
export const attemptsOf = (error: unknown): number => sdkError(error).$metadata?.attempts ?? 1;

/** Its code, or that of the socket: fit to be shown. */
export function reasonOf(error: unknown): string {
  const { name, code } = sdkError(error);
  return typeof code === 'string' ? code : name;
}
