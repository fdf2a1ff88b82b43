import { describe, expect, it } from 'vitest'
import { createStory } from './story.ts'
import { tour } from './main.ts'

describe('the tour', () => {
  it('keeps every promise that it tells of', { timeout: 240_000 }, async () => {
    let told = ''
    // Other tests run beside it: how fast a start is shows on a machine of its own.
    const busyStartMs = 30_000
    const kept = await tour(
      createStory((text) => (told += text)),
      busyStartMs,
    )
    expect({ kept, told: kept ? '' : told }).toEqual({ kept: true, told: '' })
  })

  it('fails when one promise is broken, and when none was shown', () => {
    const story = createStory(() => {})
    expect(story.close()).toBe(false)
    story.evidence('holds', true, 'seen')
    expect(story.close()).toBe(true)
    story.evidence('holds too', false, 'not seen')
    expect(story.close()).toBe(false)
  })
})
