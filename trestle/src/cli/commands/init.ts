import type { AddCommand } from '../program.ts'
import { writeProject } from '../init/write-project.ts'

/** `trestle init NAME`: a small project with one service and its test. */
export const initCommand: AddCommand = (program, io) => {
  program
    .command('init')
    .description('write a small project: one service with its contract, database, system and test')
    .argument('<name>', 'its name and folder: lower case letters, digits and hyphens')
    .addHelpText('after', '\nNothing that exists is overwritten.\n')
    .action(async (name: string) => {
      const files = await writeProject(io.cwd, name)
      for (const file of files) io.out(`  ${name}/${file}\n`)
      io.out(`\nNow:\n  cd ${name}\n  npm install\n  npm test\n  npm run dev\n`)
    })
}
