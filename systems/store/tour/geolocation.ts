import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Story } from './story.ts'

const script = fileURLToPath(new URL('../../geo/journey/main.ts', import.meta.url))

interface Step {
  readonly title: string
  readonly promise: string
  readonly kept: boolean
  readonly seen: string
}

/** The other system: a customer's way from the sign-up over the limit to the premium plan. */
export async function geolocationChapter(story: Story): Promise<void> {
  story.chapter('The geolocation API: a key, a look-up, the limit, an upgrade')
  const child = spawn(process.execPath, [script, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve))
  let steps = 0
  for await (const line of createInterface({ input: child.stdout })) {
    const { title, promise, kept, seen } = JSON.parse(line) as Step
    steps += 1
    story.say(title)
    story.evidence(promise, kept, seen)
  }
  const status = await exit
  if (steps === 0 || status !== 0) story.evidence('the journey ends well', false, `${steps} steps, status ${status}`)
}
