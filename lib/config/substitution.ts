/** `${NAME}` and `${NAME:-default}` in the values of the file. */
import type { Environment } from './environment-layer.ts';

export type Substituted = { readonly text: string } | { readonly problem: string };

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Replaces each placeholder by the variable, or by its default when the variable is not set or empty. What is put in is
 * not looked at again, so a value may hold `${`. One pass, linear in the length of `text`.
 * @returns the text, or what is wrong with it: unterminated, nested, no name, or a variable that is not set.
 */
export function substitute(text: string, env: Environment): Substituted {
  const parts: string[] = [];
  let done = 0;
  for (let start = text.indexOf('${'); start !== -1; start = text.indexOf('${', done)) {
    const end = text.indexOf('}', start);
    if (end === -1) return { problem: 'a "${" is never closed' };
    const replaced = resolve(text.slice(start + 2, end), env);
    if ('problem' in replaced) return replaced;
    parts.push(text.slice(done, start), replaced.text);
    done = end + 1;
  }
  parts.push(text.slice(done));
  return { text: parts.join('') };
}

function resolve(placeholder: string, env: Environment): Substituted {
  if (placeholder.includes('${')) return { problem: 'a "${" inside another: placeholders do not nest' };
  const split = placeholder.indexOf(':-');
  const name = split === -1 ? placeholder : placeholder.slice(0, split);
  if (!NAME.test(name)) return { problem: `a placeholder is not \${NAME} or \${NAME:-default}` };
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  if (value !== undefined && value !== '') return { text: value };
  return split === -1
    ? { problem: `\${${name}} is not set and has no default` }
    : { text: placeholder.slice(split + 2) };
}
