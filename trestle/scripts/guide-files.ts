/** A file of a guide page: a fenced block that follows its path in backticks on a line of its own. */
export interface GuideFile {
  readonly path: string
  readonly text: string
}

const named = /^`([\w./-]+)`\n\n```\w+\n(.*?)^```$/gms

/** The files that a guide page shows. */
export function guideFiles(markdown: string): readonly GuideFile[] {
  return [...markdown.matchAll(named)].map(([, path = '', text = '']) => ({ path, text }))
}
