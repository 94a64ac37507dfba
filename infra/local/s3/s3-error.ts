/** An error as S3 answers it: a status, a stable code and a message. Anything else thrown is a bug and answers 500. */
export class S3Error extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'S3Error';
    this.status = status;
    this.code = code;
  }
}

/** 501: this endpoint is a subset of S3, and says so rather than guess. */
export const notImplemented = (what: string) =>
  new S3Error(501, 'NotImplemented', `${what} is not implemented by this local endpoint`);

/** 404 for an object that is not there. */
export const noSuchKey = () => new S3Error(404, 'NoSuchKey', 'The specified key does not exist.');

/** 412: `If-Match` or `If-None-Match` did not hold; nothing was changed. */
export const preconditionFailed = () =>
  new S3Error(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');

/** 400 for a request that breaks a rule of the API. */
export const invalidRequest = (message: string) => new S3Error(400, 'InvalidRequest', message);

/** 400: a digest in the request is not that of the bytes received. */
export const badDigest = (name: string) =>
  new S3Error(400, 'BadDigest', `The ${name} you specified did not match the calculated checksum.`);
