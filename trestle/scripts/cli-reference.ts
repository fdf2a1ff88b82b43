import type { Command } from 'commander'
import { createColors } from 'picocolors'
import { exitCodes } from '../src/cli/exit-codes.ts'
import { createProgram } from '../src/cli/program.ts'

const intro = `# The command line

Written by \`npm run docs\` from the program itself; a test holds it equal to \`trestle --help\`.

Results go to stdout, everything said on the way to stderr. Colours and moving lines appear on a terminal only;
\`NO_COLOR\` and \`FORCE_COLOR\` decide otherwise. \`--json\` prints data for programs.

| exit status | meaning |
|---|---|
| ${exitCodes.ok} | done |
| ${exitCodes.failed} | it was tried and it failed |
| ${exitCodes.usage} | the command line or a setting is wrong; nothing was tried |
| ${exitCodes.notRunning} | the command needs a running system and there is none |
| ${exitCodes.alreadyRunning} | the system runs already |
| ${exitCodes.problem} | a service answered with a problem |
`

/** `docs/reference/cli.md`: the help of every command. */
export function cliReference(): string {
  const program = createProgram({
    out: () => {},
    err: () => {},
    env: {},
    cwd: '/',
    terminal: false,
    colors: createColors(false),
    now: () => 0,
  })
  return [intro, section('trestle', helpOf(program)), ...sections(program, 'trestle')].join('\n')
}

function sections(parent: Command, path: string): readonly string[] {
  return parent.commands.flatMap((command) => {
    const name = `${path} ${command.name()}`
    return [section(name, helpOf(command)), ...sections(command, name)]
  })
}

function section(name: string, help: string): string {
  return `## ${name}\n\n\`\`\`text\n${help.trim()}\n\`\`\`\n`
}

/** With the texts that stand after the help, which `helpInformation` leaves out. */
function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({
    ...command.configureOutput(),
    writeOut: (chunk) => (text += chunk),
    getOutHelpWidth: () => 100,
  })
  command.outputHelp()
  return text
}
