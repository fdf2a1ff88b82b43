/** `1 h 5 min`, `3 min 2 s`, `12 s`: two units at most. */
export function showDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`
  const hours = Math.floor(minutes / 60)
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** Mebibytes without decimals: `34 MiB`. */
export function showBytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`
}
