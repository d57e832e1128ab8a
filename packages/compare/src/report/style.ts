/** The look of a report: light and dark as the reader has it, on any width, on paper too. Nothing is fetched. */

export const style = `
:root {
  color-scheme: light dark;
  --paper: #fff; --ink: #1b1f24; --soft: #59636e; --line: #d1d9e0; --tint: #f4f6f8; --link: #0b57b0; --warn: #fff4d6;
  --c0: #2f6fbf; --c1: #b3541e; --c2: #1f8a5b; --c3: #8a4fb3; --c4: #b8860b; --c5: #c2386b; --c6: #3f8fa6; --c7: #6b7280;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --ink: #e6e9ed; --soft: #9aa5b1; --line: #353c45; --tint: #1d2228; --link: #7db7ff; --warn: #463a12;
    --c0: #6aa5f0; --c1: #e58a51; --c2: #53c08f; --c3: #bd8be3; --c4: #dfb13c; --c5: #ee7ba4; --c6: #6fc1d8; --c7: #a1a9b5;
  }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
main, header, nav, footer { max-width: 68rem; margin: 0 auto; padding: 0 1rem }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 1.5rem 0 .5rem }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; scroll-margin-top: 1rem }
h3 { font-size: 1rem; margin: 0 }
p { margin: .5rem 0; max-width: 48rem }
a { color: var(--link) }
a:focus-visible, summary:focus-visible, .wide:focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
nav ul, .legend { list-style: none; padding: 0; margin: .75rem 0; display: flex; flex-wrap: wrap; gap: .25rem 1rem }
.legend { font-size: .875rem }
.key { width: .8em; height: .8em; margin-right: .4em; vertical-align: -.05em }
.warn { background: var(--warn); padding: .75rem 1rem; border-radius: .4rem }
.lead p { font-size: 1.05rem }
figure { margin: 0 }
figcaption, .small { color: var(--soft); font-size: .875rem; max-width: 60rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: .75rem 0 }
dt { color: var(--soft) }
dd { margin: 0; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100%; font-size: .9375rem }
caption { text-align: left; padding: .9rem 0 .2rem }
caption .unit { color: var(--soft); font-weight: normal; font-size: .875rem }
th { text-align: left; font-weight: 600 }
.chart { table-layout: fixed }
.chart th { font-weight: 400; width: 9rem; padding: 1px .75rem 1px 0; white-space: nowrap }
.chart td { padding: 1px 0 }
.chart thead th:nth-child(2) { width: auto }
.chart thead th:last-child { width: 11rem }
.chart td + td { padding-left: .75rem; text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
.chart thead th { padding-top: 0; padding-bottom: 0; line-height: 0; font-size: 0 }
.bar { display: block; width: 100%; height: 1rem; background: var(--tint); border-radius: 2px }
.bar line { stroke: var(--line); stroke-width: 1 }
.c0 { fill: var(--c0) } .c1 { fill: var(--c1) } .c2 { fill: var(--c2) } .c3 { fill: var(--c3) }
.c4 { fill: var(--c4) } .c5 { fill: var(--c5) } .c6 { fill: var(--c6) } .c7 { fill: var(--c7) }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: .4rem }
.wide table { width: max-content; min-width: 100%; font-size: .875rem }
.wide th, .wide td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; vertical-align: top }
.wide td { text-align: right; font-variant-numeric: tabular-nums }
.wide tr:last-child > * { border-bottom: 0 }
.wide thead th { background: var(--tint) }
.wide thead th + th { text-align: right }
.wide tbody th { position: sticky; left: 0; background: var(--paper) }
details { margin: .5rem 0 } summary { cursor: pointer }
footer { margin: 3rem auto 2rem; color: var(--soft); font-size: .875rem }
@media (max-width: 40rem) {
  .chart th { width: 6.5rem; padding-right: .5rem; white-space: normal; font-size: .8125rem; line-height: 1.2 }
  .chart thead th:last-child { width: 8rem }
  .chart thead th { font-size: 0; line-height: 0 }
  .chart td + td { font-size: .8125rem; padding-left: .4rem }
  dl { grid-template-columns: 1fr } dd { margin-bottom: .4rem }
}
@media print { nav { display: none } table, figure { break-inside: avoid } }
`
