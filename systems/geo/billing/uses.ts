import { access } from 'trestle/gateway'

/** Whom billing calls. */
export const uses = { access }
