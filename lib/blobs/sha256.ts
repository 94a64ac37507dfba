import { hash } from 'node:crypto';

/** Of a whole object: what stands in a stub and beside the object itself. 43 characters of base64url. */
export const sha256Of = (bytes: Uint8Array): string => hash('sha256', bytes, 'base64url');
