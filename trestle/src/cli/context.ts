import type { CliIo } from './io.ts'
import { findSystem, type FoundSystem } from './find-system.ts'
import { readSettings, type Settings } from './settings.ts'

/** What a command is about: the system it found and the settings that hold for it. */
export interface CommandContext {
  readonly found: FoundSystem
  readonly settings: Settings
}

/** @throws CliError `system_not_found`, `setting_invalid` */
export function contextFor(io: CliIo, system?: string): CommandContext {
  const found = findSystem(io.cwd, system)
  return { found, settings: readSettings(io.env, io.cwd, found.project) }
}
