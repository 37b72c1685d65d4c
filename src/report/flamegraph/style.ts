/** The style sheet of the page: light, dark, narrow and print. */
import { fillOf, type Step, type Theme } from './palette.ts';

const steps: Step[] = [-4, -3, -2, -1, 0, 1, 2, 3, 4];

/** Colours of the steps for the legend and the bars. */
function stepRules(theme: Theme, scope: string): string {
  const rules = steps.map((step) => {
    const fill = fillOf(step, theme);
    const name = step === 0 ? 'z' : step > 0 ? `u${step}` : `d${-step}`;
    return `${scope} #legend .${name}{background:${fill.background};color:${fill.ink}}`;
  });
  return `${rules.join('')}${scope} .bar.up rect{fill:${fillOf(3, theme).background}}${scope} .bar.down rect{fill:${fillOf(-3, theme).background}}`;
}

const light = '--page:#fff;--ink:#1b1f24;--quiet:#57606a;--line:#d1d9e0;--panel:#f6f8fa;--link:#0550ae;--still:#8c959f';
const dark =
  '--page:#0d1117;--ink:#e6edf3;--quiet:#9198a1;--line:#3d444d;--panel:#161b22;--link:#79b8ff;--still:#767e88';

/** The whole style sheet. */
export const styleSheet: string = `
:root{${light};color-scheme:light}
@media screen{:root[data-theme=dark]{${dark};color-scheme:dark}}
@media screen and (prefers-color-scheme:dark){:root:not([data-theme=light]){${dark};color-scheme:dark}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main,footer{max-width:1240px;margin:0 auto;padding:0 20px}
main{padding-top:20px}
h1{font-size:1.5rem;line-height:1.3;margin:.2em 0 .4em;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:2em 0 .5em}
p{margin:.5em 0;overflow-wrap:anywhere}
a{color:var(--link)}
code,kbd{font:13px ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;overflow-wrap:anywhere}
kbd{border:1px solid var(--line);border-radius:4px;padding:0 4px}
.quiet,footer,caption,small{color:var(--quiet)}
small{font-size:.8rem;font-weight:400}
.state{display:inline-block;margin:0;padding:2px 10px;border-radius:999px;border:2px solid currentColor;font-weight:600}
.regression,.error{color:#b3450b}.warning,.accepted,.inconclusive{color:#8a5a00}.pass,.improvement{color:#1a5f9e}
@media screen{:root[data-theme=dark] :is(.regression,.error){color:#ff9a4d}:root[data-theme=dark] :is(.warning,.accepted,.inconclusive){color:#e3b341}:root[data-theme=dark] :is(.pass,.improvement){color:#74b9f5}}
@media screen and (prefers-color-scheme:dark){:root:not([data-theme=light]) :is(.regression,.error){color:#ff9a4d}:root:not([data-theme=light]) :is(.warning,.accepted,.inconclusive){color:#e3b341}:root:not([data-theme=light]) :is(.pass,.improvement){color:#74b9f5}}
.warnings{padding:8px 8px 8px 28px;border:1px solid var(--line);border-radius:6px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%}th:first-child,td:first-child{padding-left:0}
caption{text-align:left;padding:0 0 4px;font-size:.85rem}
th,td{padding:5px 8px;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
thead th{font-size:.85rem}
tbody th{font-weight:400;min-width:9em}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.more,td.less{font-weight:600}
.bar{display:block;margin-top:6px}.bar.still rect{fill:var(--still)}.bar path{stroke:var(--page);stroke-width:2;fill:none}
.strip{display:block;width:100%;max-width:480px;height:auto}
.strip text{font:13px system-ui,sans-serif;fill:var(--quiet)}.strip .end{text-anchor:end}
.strip .base{fill:none;stroke:var(--ink);stroke-width:1.5}.strip .head{fill:#d9661f}.strip g text{fill:var(--ink);stroke:none}
details{margin:.7em 0}summary{cursor:pointer}
#bar{position:sticky;top:0;z-index:1;background:var(--page);padding:6px 0;border-bottom:1px solid var(--line)}
#tools{display:flex;flex-wrap:wrap;gap:8px 12px;align-items:center;background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:8px 12px}
fieldset{border:0;margin:0;padding:0;min-width:0;display:flex;gap:10px;align-items:center}
legend{float:left;font-weight:600;padding:0;margin-right:4px}
label{white-space:nowrap}
button,input[type=search]{font:inherit;font-size:.9rem;color:var(--ink);background:var(--page);border:1px solid var(--still);border-radius:6px;padding:3px 10px}
button:disabled{opacity:.5}
button[aria-pressed=true],[role=tab][aria-selected=true]{background:var(--ink);color:var(--page)}
#find{display:flex;flex-wrap:wrap;gap:8px;align-items:center}input[type=search]{width:12.5em}
[role=tablist]{display:flex;flex-wrap:wrap;gap:6px;margin-bottom:6px}
[hidden]{display:none!important}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
#about{min-height:4.6em;padding-top:6px}#about p{margin:0}#facts{font-variant-numeric:tabular-nums}
#panel{margin-top:6px}
canvas{display:block;width:100%;touch-action:manipulation}
#instances select{font:inherit;font-size:.9rem;color:var(--ink);background:var(--page);border:1px solid var(--still);border-radius:6px;padding:3px 6px;max-width:13em}
#calltree ul{list-style:none;margin:0;padding:0}#calltree>ul{overflow-x:auto}
#calltree li{border-radius:4px}#calltree li:focus-visible{outline-offset:-2px}
.call{display:flex;gap:12px;padding:2px 4px;cursor:pointer;white-space:nowrap;font-variant-numeric:tabular-nums}
.call .change{flex:none;width:7em;text-align:right}.call .beyond{font-weight:600}.call .pair{flex:none;width:9em;text-align:right;color:var(--quiet)}
.call .name{font:13px/1.7 ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace}.call .name::before{content:"";display:inline-block;width:1.2em}
[aria-expanded=false]>.call .name::before{content:"▸"}[aria-expanded=true]>.call .name::before{content:"▾"}
.evidence{white-space:nowrap}
#legend{display:flex;flex-wrap:wrap;list-style:none;margin:8px 0;padding:0;gap:2px;font-size:.8rem}
#legend li{padding:1px 7px}#legend .plain{color:var(--quiet)}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
footer{margin-top:3em;padding-bottom:2em;font-size:.85rem}
${stepRules('light', ':root')}
@media screen{${stepRules('dark', ':root[data-theme=dark]')}}
@media screen and (prefers-color-scheme:dark){${stepRules('dark', ':root:not([data-theme=light])')}}
@media(max-width:1100px){.evidence{white-space:normal}}
@media(max-width:700px){.call .pair{display:none}.call .change{width:6em}fieldset{flex-wrap:wrap}#instances select{max-width:11em}main,footer{padding-left:12px;padding-right:12px}.wide{display:none}h1{font-size:1.2rem}th,td{padding-right:8px}#bar{position:static}.keys{display:none}input[type=search]{width:9em}}
@media print{body{font-size:12px}code{font-size:11px}.scroll{overflow:visible}.evidence{white-space:normal}#calls:not([open]),#tools,#about,.keys,[role=tablist]{display:none}#bar{position:static}canvas{height:auto!important}h2{break-after:avoid}tr{break-inside:avoid}.bar,#legend li,.state{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
@media(prefers-reduced-motion:reduce){*{animation:none!important;transition:none!important;scroll-behavior:auto!important}}
`;
