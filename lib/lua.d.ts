/** A .lua file, includes inlined, as its text: see infra/lua-source.ts for the one reader behind every loader. */
declare module '*.lua' {
  const source: string;
  export default source;
}
