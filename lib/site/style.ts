/**
 * The look of every page.
 * @module
 */

/** Colours of a page, in one scheme. */
export interface PageColors {
  /** Behind everything. */
  readonly paper: string;
  /** Behind code, outputs and boxes. */
  readonly box: string;
  /** Lines. */
  readonly line: string;
  /** Text. */
  readonly text: string;
  /** Text of less weight. */
  readonly faint: string;
  /** Links. */
  readonly link: string;
  /** Behind a marked passage. */
  readonly mark: string;
  /** A right answer. */
  readonly right: string;
  /** A wrong answer, a warning. */
  readonly wrong: string;
}

/** The two schemes; every text colour stands at 4.5:1 or more on paper, on boxes and on marks. */
export const PAGE_COLORS: { readonly light: PageColors; readonly dark: PageColors } = {
  light: {
    paper: "#ffffff",
    box: "#f5f6f8",
    line: "#d9dde2",
    text: "#1b1f24",
    faint: "#565f6a",
    link: "#1a5496",
    mark: "#ffe9a8",
    right: "#1a5496",
    wrong: "#93380b",
  },
  dark: {
    paper: "#14171a",
    box: "#1d2125",
    line: "#3a4149",
    text: "#e6e8eb",
    faint: "#a7b0ba",
    link: "#8fbce0",
    mark: "#4d3f0d",
    right: "#8fbce0",
    wrong: "#f0a368",
  },
};

const variables = (colors: PageColors) =>
  Object.entries(colors).map(([name, value]) => `--${name}:${value}`).join(";");

/** The style sheet of every page: one column, readable at 320 pixels, in both schemes, and printed. */
export const STYLE: string = `
:root{color-scheme:light dark;${variables(PAGE_COLORS.light)}}
@media (prefers-color-scheme:dark){:root{${variables(PAGE_COLORS.dark)}}
.figure svg,.figure img{filter:invert(.92) hue-rotate(180deg)}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--text);font:16px/1.6 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
body>header,main,body>footer{max-width:54rem;margin:0 auto;padding:0 1rem}
body>header{padding-top:1rem;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;align-items:baseline}
body>header>a{font-weight:600}body>header nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem}
body>footer{margin-top:3rem;padding-top:1rem;padding-bottom:2rem;border-top:1px solid var(--line);color:var(--faint);font-size:.875rem}
a{color:var(--link)}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-999px}.skip:focus{position:static}
h1{font-size:1.75rem;line-height:1.25;margin:1rem 0}h2{font-size:1.25rem;line-height:1.3;margin:2rem 0 .5rem}h3{font-size:1.05rem;margin:1.5rem 0 .25rem}
p,ul,ol{margin:.5rem 0}code,pre,kbd{font-family:ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;font-size:.8125rem}
code{background:var(--box);padding:.1em .25em;border-radius:3px}
pre{background:var(--box);border:1px solid var(--line);border-radius:6px;padding:.6rem .75rem;margin:.5rem 0;line-height:1.45;white-space:pre-wrap;overflow:auto;max-height:32rem;unicode-bidi:plaintext}
pre code{background:none;padding:0}
details>summary{cursor:pointer;color:var(--faint);font-size:.875rem;padding:.25rem 0}
.scroll{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;font-size:.875rem;margin:.5rem 0}caption{text-align:left;color:var(--faint)}
th,td{border-bottom:1px solid var(--line);padding:.25rem .6rem;text-align:left;vertical-align:top}
td{unicode-bidi:plaintext;overflow-wrap:break-word}th{white-space:nowrap}
.figure{margin:1rem 0}.figure svg,.figure img{display:block;width:100%;min-width:44rem;max-width:50rem;height:auto;border-radius:6px}
.figure svg svg{min-width:0;filter:none;overflow:visible}
.figure a:focus-visible{outline:none}.figure a:hover rect,.figure a:focus rect{fill:#000;fill-opacity:.12;stroke:#1b1f24;stroke-width:2.5}
.error{border-left:4px solid var(--wrong)}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:.5rem 0}.facts dt{color:var(--faint)}.facts dd{margin:0;min-width:0}
.cards{list-style:none;padding:0}.cards>li{border-top:1px solid var(--line);padding:1rem 0}
.warning{color:var(--wrong);font-weight:600}.faint{color:var(--faint)}
.right{color:var(--right)}.wrong{color:var(--wrong)}
mark{background:var(--mark);color:inherit;border-radius:3px;padding:.1em .15em}mark>small{color:var(--faint);font-family:system-ui,sans-serif;user-select:none}
.ctl{border:1px solid var(--line);border-radius:3px;color:var(--faint);font-size:.85em}
.cut{display:block;color:var(--faint);font-family:system-ui,sans-serif;font-style:italic;border-block:1px dashed var(--line);margin:.35rem 0}
@media (max-width:600px){h1{font-size:1.4rem}.facts{grid-template-columns:1fr}.facts dd{margin-bottom:.4rem}}
@media print{body{font-size:11pt}.skip,body>header,.noprint{display:none}pre{max-height:none;overflow:visible}.figure svg,.figure img{min-width:0;filter:none}.figure,pre,tr{break-inside:avoid}a{color:inherit}details:not([open])>*:not(summary){display:none}}
`.trim();

/** What the inspector of rows adds. */
export const INSPECTOR_STYLE: string = `
body>header:has(~main.inspector),main.inspector{max-width:90rem}
.filters{display:flex;flex-wrap:wrap;gap:.5rem 1rem;margin:.5rem 0}.filters label{display:flex;flex-direction:column;font-size:.8125rem;color:var(--faint);max-width:100%}
.filters button{align-self:flex-end}.filters select,.filters input,.filters button{font:inherit;font-size:.9375rem;color:var(--text);background:var(--paper);border:1px solid var(--faint);border-radius:4px;padding:.3rem .4rem;max-width:100%;min-height:2.25rem}
.panes{display:grid;grid-template-columns:minmax(16rem,2fr) minmax(0,3fr);gap:1rem;align-items:start}
.list{height:calc(100vh - 14rem);min-height:18rem;overflow-y:auto;border:1px solid var(--line);border-radius:6px;position:relative;contain:strict}
.option{position:absolute;left:0;right:0;height:64px;padding:.3rem .6rem;border-bottom:1px solid var(--line);cursor:pointer;overflow:hidden;font-size:.8125rem;line-height:1.35}
.option>*{white-space:nowrap;overflow:hidden;text-overflow:ellipsis;display:block;unicode-bidi:plaintext}
.option[aria-selected=true]{background:var(--box);box-shadow:inset 4px 0 0 var(--link)}
.option .what{font-weight:600}.option .said{color:var(--faint)}
#details{min-width:0}#details h2{margin-top:0}
@media (max-width:800px){.panes{grid-template-columns:minmax(0,1fr)}.list{height:45vh}}
@media print{.list,.filters{display:none}}
`.trim();
