import { describe, expect, it } from 'vitest'
import { createStory } from './story.ts'
import { tour } from './main.ts'

describe('the tour', () => {
  it('keeps every promise that it tells of', { timeout: 240_000 }, async () => {
    let told = ''
    const kept = await tour(createStory((text) => (told += text)))
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
