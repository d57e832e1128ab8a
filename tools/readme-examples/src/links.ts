/** Finds the links of a Markdown file that lead to files of this workspace. */

/** The relative targets of `[text](target)`, without what follows a `#`; code is left out. */
export function relativeLinks(markdown: string): string[] {
  const prose = markdown.replaceAll(/^(`{3,}).*\n[\s\S]*?^\1`*$/gm, '').replaceAll(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target!.replace(/#.*/, ''))
    .filter((target) => target !== '' && !/^[a-z]+:/i.test(target))
}
