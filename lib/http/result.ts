/** What a handler returns. `data` is sent as JSON, `bytes` as they are; neither: an empty body. */
export interface Result {
  readonly status: number;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly data?: unknown;
  readonly bytes?: Buffer;
  /** Of the body a HEAD request does not get. */
  readonly contentLength?: number;
}
