import { renderLikeGitHub } from './github-markdown.ts';

/** Width of a comment's body on a pull request, in CSS pixels, when the window is as wide as GitHub needs it. */
export const commentWidth = 830;

const colours = {
  light: { page: '#fff', ink: '#1f2328', line: '#d1d9e0', stripe: '#f6f8fa', code: '#818b981f', link: '#0969da' },
  dark: { page: '#0d1117', ink: '#f0f6fc', line: '#3d444d', stripe: '#151b23', code: '#656c7633', link: '#4493f8' },
};

/** An HTML page that shows a comment in the width, the face and the colours of a pull request. */
export async function renderPullRequestPage(markdown: string, theme: keyof typeof colours = 'light'): Promise<string> {
  const { page, ink, line, stripe, code, link } = colours[theme];
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Comment</title><style>
    body { margin: 0; padding: 20px; background: ${page}; width: ${commentWidth}px; box-sizing: content-box }
    article { border: 1px solid ${line}; border-radius: 6px; padding: 16px; box-sizing: border-box; color: ${ink};
      font: 14px/1.5 -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif, "Noto Color Emoji"; overflow-wrap: break-word }
    h3 { font-size: 1.25em; margin: 0 0 16px } p, ul, table, details, blockquote { margin: 0 0 16px } ul { padding-left: 2em }
    blockquote { padding: 0 1em; border-left: 4px solid #9a6700 }
    table { border-collapse: collapse; display: block; width: max-content; max-width: 100%; overflow: auto }
    th, td { border: 1px solid ${line}; padding: 6px 13px } tr:nth-child(2n) { background: ${stripe} }
    code { background: ${code}; padding: .2em .4em; border-radius: 6px; font: 85% ui-monospace, "DejaVu Sans Mono", monospace }
    a { color: ${link}; text-decoration: none } sub { font-size: 75% } summary { font-weight: 600 }
    </style><article>${await renderLikeGitHub(markdown)}</article></html>`;
}
