/** The page's only style: no fonts, pictures or scripts from anywhere. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --ink: #16242f; --soft: #5a6b78; --line: #d9e1e7; --back: #fbfcfd; --card: #fff; --code: #eef3f6; --deep: #0b6e8f;
  --get: #0b6e8f; --put: #8a5a00; --post: #1c7a3e; --delete: #b3261e; --head: #5b4fa0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3ebf0; --soft: #97a8b4; --line: #2b3a45; --back: #0f171d; --card: #152029; --code: #1d2b35; --deep: #58c3e6;
  --get: #58c3e6; --put: #e5b567; --post: #74cf94; --delete: #ff8f85; --head: #b3a8f5; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--back); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
a { color: var(--deep); text-underline-offset: .2em; }
:focus-visible { outline: 2px solid var(--deep); outline-offset: 2px; }
code, pre { font: .875em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
code { background: var(--code); border-radius: 4px; padding: .1em .3em; overflow-wrap: anywhere; }
pre { background: var(--code); border-radius: 8px; padding: .9rem 1rem; overflow-x: auto; margin: .5rem 0 0; }
pre code { background: none; padding: 0; overflow-wrap: normal; }
.frame { display: grid; grid-template-columns: 17rem minmax(0, 1fr); max-width: 76rem; margin: 0 auto; }
nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow-y: auto; padding: 1.8rem 1rem 2rem 1.25rem; font-size: .9rem; }
nav strong { display: block; margin: 1.1rem 0 .2rem; color: var(--soft); font-size: .78rem; letter-spacing: .06em; text-transform: uppercase; }
nav a { display: block; padding: .22rem 0; color: inherit; text-decoration: none; }
nav a:hover { color: var(--deep); }
nav .name { font-size: 1.15rem; font-weight: 700; color: var(--deep); }
main { padding: 1.8rem 1.25rem 5rem; min-width: 0; }
h1 { margin: 0 0 .4rem; font-size: 2rem; line-height: 1.2; letter-spacing: -.02em; }
h2 { margin: 3rem 0 .2rem; font-size: 1.35rem; }
h2 + p { margin-top: 0; color: var(--soft); }
h4 { margin: 1.3rem 0 .3rem; font-size: .78rem; letter-spacing: .06em; text-transform: uppercase; color: var(--soft); }
.lead { font-size: 1.1rem; color: var(--soft); margin-top: 0; }
article { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.1rem 1.25rem 1.25rem; margin: 1rem 0; }
h3 { margin: 0; font-size: 1rem; display: flex; flex-wrap: wrap; gap: .25rem .6rem; align-items: baseline; }
h3 .path { font: 600 1rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; color: inherit; text-decoration: none; }
h3 .path:hover { text-decoration: underline; }
.method { font: 700 .75rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; letter-spacing: .04em; min-width: 3.6em; }
.get { color: var(--get); } .put { color: var(--put); } .post { color: var(--post); } .delete { color: var(--delete); } .head { color: var(--head); } .patch { color: var(--put); }
.about { margin: .35rem 0 0; } .who { color: var(--soft); }
table { width: 100%; border-collapse: collapse; font-size: .9rem; }
td { padding: .4rem .75rem .4rem 0; border-top: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
tr:first-child td { border-top: 0; }
td:first-child { width: 32%; } td:last-child { padding-right: 0; }
.type { color: var(--soft); } .must { color: var(--delete); font-size: .8rem; white-space: nowrap; }
details { margin-top: 1rem; border-top: 1px solid var(--line); padding-top: .7rem; }
summary { cursor: pointer; color: var(--soft); font-size: .9rem; }
.by-status td:first-child { width: 4.5rem; } .status { font-variant-numeric: tabular-nums; font-weight: 600; }
@media (max-width: 52rem) {
  .frame { display: block; }
  nav { position: static; max-height: none; padding-bottom: 0; columns: 13rem; column-gap: 1.5rem; }
  nav .name { column-span: all; } nav section { break-inside: avoid; }
  main { padding-top: 1rem; } h1 { font-size: 1.6rem; }
}
@media (max-width: 34rem) { article { padding: .9rem; border-radius: 8px; } td { display: block; border-top: 0; padding: 0 0 .35rem; } td:first-child, .by-status td:first-child { width: auto; }
  tr { display: block; border-top: 1px solid var(--line); padding: .4rem 0 .1rem; } tr:first-child { border-top: 0; } }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
`;
