import { Option } from 'commander'

/** Which system a command is about, where its arguments name services. */
export interface SystemOption {
  readonly system?: string
}

/** `--system PATH`. */
export function systemOption(): Option {
  return new Option('-s, --system <path>', 'system file or folder (default: as trestle --help says)')
}
