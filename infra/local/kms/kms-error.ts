/** An error as KMS answers it: a status, the name of an exception and a message. Anything else thrown is a bug and answers 500. */
export class KmsError extends Error {
  readonly status: number;
  readonly type: string;

  constructor(status: number, type: string, message: string) {
    super(message);
    this.name = 'KmsError';
    this.status = status;
    this.type = type;
  }
}

/** 501: this endpoint is a subset of KMS, and says so rather than guess. */
export const unsupported = (what: string) =>
  new KmsError(501, 'UnsupportedOperationException', `${what} is not implemented by this local endpoint`);

/** 400 for a request that breaks a rule of the API. */
export const invalid = (message: string) => new KmsError(400, 'ValidationException', message);

/** 400: no such key or alias. */
export const notFound = (what: string) => new KmsError(400, 'NotFoundException', `${what} is not found`);

/** 400: not made by this key under this context, or damaged. As AWS, it does not say which. */
export const invalidCiphertext = () => new KmsError(400, 'InvalidCiphertextException', '');
