import { describe, expect, it } from 'vitest'
import { saga } from './define-saga.ts'
import { callee, orders } from './fixtures/shop.ts'

const options = { on: orders.events.placed, uses: { callee } }
const run = async () => undefined
const { delivered, counted } = callee.events

describe('what is wrong with a saga is an error where it is defined', () => {
  it.each<readonly [string, () => unknown, RegExp]>([
    ['its name', () => saga('Check Out', options), /kebab-case/],
    ['its version', () => saga('checkout', { ...options, version: 0 }), /version is a whole number from 1/],
    ['a name of a step', () => saga('checkout', options).step('Hold it', { run }), /step 'Hold it'.*kebab-case/],
    ['a name twice', () => saga('checkout', options).step('a', { run }).write('a', run), /of this name already/],
    ['two pivots', () => saga('checkout', options).pivot('a', { run }).pivot('b', { run }), /one at most/],
    [
      'an undo after the pivot',
      () => saga('checkout', options).pivot('a', { run }).step('b', { run, undo: run }),
      /take the undo away/,
    ],
    ['a time that is none', () => saga('checkout', options).step('a', { run, timeoutMs: 0 }), /timeoutMs/],
    [
      'a wait for ever',
      () => saga('checkout', options).waitFor('a', delivered, { timeoutMs: Number.POSITIVE_INFINITY }),
      /366 days/,
    ],
    [
      'a key of another type',
      () => saga('checkout', options).waitFor('a', counted, { timeoutMs: 1 }),
      /key.*number.*string.*never match/,
    ],
    [
      'an event that is waited for twice',
      () =>
        saga('checkout', options).waitFor('a', delivered, { timeoutMs: 1 }).waitFor('b', delivered, { timeoutMs: 1 }),
      /counts once/,
    ],
    [
      'a step after the end',
      () => saga('checkout', options).whenUndone(run).step('a', { run }),
      /whenUndone comes last/,
    ],
    [
      'an earlier version of another',
      () => saga('checkout', { ...options, version: 2, earlier: [saga('other', options)] }),
      /another saga/,
    ],
    [
      'an earlier version that is none',
      () => saga('checkout', { ...options, earlier: [saga('checkout', options)] }),
      /below 1/,
    ],
  ])('%s', (_what, define, message) => {
    expect(define).toThrow(TypeError)
    expect(define).toThrow(message)
  })
})
