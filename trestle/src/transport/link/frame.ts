/** What a frame is for. The layout is in docs/reference/link.md. */
export const FrameType = {
  hello: 1,
  proof: 2,
  call: 3,
  reply: 4,
  data: 5,
  cancel: 6,
  ping: 7,
  pong: 8,
  goAway: 9,
  gone: 10,
  refuse: 11,
} as const

export const lastFrameType = FrameType.refuse

export const Flag = {
  /** The body ends with this frame. */
  end: 1,
  /** `call`: the input is a request from the edge, not yet parsed. */
  rest: 2,
  /** `call` with `rest`: there is a body, be it empty. */
  body: 4,
  /** `reply`: the body is a problem. */
  failed: 8,
  /** `reply`: there is no body, not even an empty one. */
  empty: 16,
} as const

/** length u32, type u8, flags u8, stream u32, meta length u32; all big-endian. */
export const headerBytes = 14
/** What the length field counts besides meta and body. */
export const headerRestBytes = headerBytes - 4

export interface Frame {
  readonly type: number
  readonly flags: number
  /** The call that the frame belongs to; 0: the link itself. */
  readonly stream: number
  readonly meta: Buffer
  readonly body: Buffer
}

/** The peer does not speak the protocol; the link closes. */
export class LinkProtocolError extends Error {
  override readonly name = 'LinkProtocolError'
}
