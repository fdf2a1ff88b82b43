import { createHash } from 'node:crypto'
import { categories, type SeedCategory } from './departments.ts'
import { type Draws, draws } from './draws.ts'

/** A product of the seed. */
export interface SeedProduct {
  readonly id: string
  readonly sku: string
  readonly name: string
  readonly description: string
  readonly category: string
  /** Minor units. */
  readonly priceAmount: number
}

const brands = [
  'Aldern',
  'Birkhof',
  'Calder & Moss',
  'Dunmere',
  'Estrel',
  'Fjordvik',
  'Grauwald',
  'Hallin',
  'Isarwerk',
  'Jorvik Row',
  'Kestrel',
  'Lindqvist',
  'Marlow',
  'Norrland',
  'Ostermann',
  'Pinewright',
  'Quillon',
  'Rosdahl',
  'Silberau',
  'Tamsin',
  'Ullmann',
  'Vellano',
  'Westerby',
  'Yarrow',
] as const

const colours = ['black', 'white', 'sand', 'moss green', 'slate blue', 'rust red', 'natural', 'ochre'] as const
const openings = ['Made for', 'Designed with an eye on', 'At home in', 'Our answer to'] as const
const closings = [
  'Spare parts can be ordered for ten years.',
  'Comes in a box without plastic.',
  'The warranty is five years.',
  'Made in small runs by a family workshop.',
  'Tested in daily use for a year before we listed it.',
  'Care: wipe with a damp cloth.',
] as const

/** The stock keeping unit of product number `index`: the department's letters and the number. */
export function skuAt(index: number): string {
  return `${slotAt(index).department.code}-${String(index).padStart(6, '0')}`
}

/** Product number `index` of the seed: the same on every machine, made without the products before it. */
export function productAt(index: number): SeedProduct {
  const { department, category } = slotAt(index)
  const draw = draws(index)
  const noun = draw.pick(category.nouns)
  const material = draw.pick(category.materials)
  const trait = draw.pick(department.traits)
  const brand = draw.pick(brands)
  const sku = skuAt(index)
  return {
    id: idOf(sku),
    sku,
    name: `${brand} ${trait} ${noun}, ${draw.pick(category.sizes)}, ${draw.pick(colours)}`,
    description: [
      `${article(trait)} ${trait} ${noun} of ${material}.`,
      `${draw.pick(openings)} ${draw.pick(department.uses)}.`,
      draw.pick(closings),
    ].join(' '),
    category: category.id,
    priceAmount: priceOf(category, draw),
  }
}

function slotAt(index: number): (typeof categories)[number] {
  return categories[index % categories.length] as (typeof categories)[number]
}

/** Cheap things are more common than dear ones, and prices end as shop prices do. */
function priceOf({ priceFrom, priceTo }: SeedCategory, draw: Draws): number {
  const euros = Math.floor((priceFrom * (priceTo / priceFrom) ** draw.fraction()) / 100)
  return euros * 100 + draw.pick([0, 49, 90, 95, 99])
}

function article(word: string): string {
  return /^[aeiou]/.test(word) ? 'An' : 'A'
}

/** A UUID version 8 made from the stock keeping unit. Source: RFC 9562, section 5.8. */
function idOf(sku: string): string {
  const hash = createHash('sha256').update(`store.product:${sku}`).digest('hex')
  const variant = ((Number.parseInt(hash.charAt(16), 16) & 0x3) | 0x8).toString(16)
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-${variant}${hash.slice(17, 20)}-${hash.slice(20, 32)}`
}
