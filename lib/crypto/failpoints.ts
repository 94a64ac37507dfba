/** The failpoints of redis/failpoints.ts, around a key provider. */
import type { FailpointHook } from '../redis/failpoints.ts';
import type { KeyProvider } from './key-provider.ts';

type Call = Exclude<keyof KeyProvider, 'kind'>;

/** The same provider, with a failpoint before and after every call; `after` only when the call went well. */
export function withKeyFailpoints(provider: KeyProvider, hook: FailpointHook): KeyProvider {
  const around = async <T>(name: Call, call: () => Promise<T>): Promise<T> => {
    await hook({ port: 'keys', name, phase: 'before' });
    const outcome = await call();
    await hook({ port: 'keys', name, phase: 'after' });
    return outcome;
  };
  return {
    kind: provider.kind,
    generate: (context, options) => around('generate', () => provider.generate(context, options)),
    unwrap: (key, context, options) => around('unwrap', () => provider.unwrap(key, context, options)),
    wrap: (plaintext, context, options) => around('wrap', () => provider.wrap(plaintext, context, options)),
    currentKeyId: (options) => around('currentKeyId', () => provider.currentKeyId(options)),
  };
}
