/** Numbers as people read them. Pure, the same in every locale. Bytes in powers of 1000 (kB, MB), as networks and disks are sold. */

function scaled(value: number, units: readonly string[]): string {
  let unit = 0;
  let rest = value;
  // 999.95 would print as 1000.0, so it already belongs to the next unit.
  while (rest >= (unit === 0 ? 1000 : 999.95) && unit < units.length - 1) {
    rest /= 1000;
    unit++;
  }
  const digits = unit === 0 ? String(Math.round(rest)) : rest.toFixed(1);
  const name = units[unit] ?? "";
  return name === "" ? digits : `${digits} ${name}`;
}

/** `123.4 MB`. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, ["B", "kB", "MB", "GB", "TB", "PB"]);
}

/** `1,234,567`. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replaceAll(/\B(?=(?:\d{3})+$)/g, ",");
}

/** `45.2 k`: for rates, where the last digits say nothing. */
export function formatShortCount(count: number): string {
  return scaled(count, ["", "k", "M", "G"]);
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `850 ms`, `12.3 s`, `3 min 12 s`, `2 h 05 min`, `3 d 4 h`. */
export function formatDuration(ms: number): string {
  if (ms < SECOND) return `${Math.floor(ms)} ms`;
  if (ms < MINUTE) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ${pad(Math.floor((ms % MINUTE) / SECOND))} s`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h ${pad(Math.floor((ms % HOUR) / MINUTE))} min`;
  return `${Math.floor(ms / DAY)} d ${Math.floor((ms % DAY) / HOUR)} h`;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

/** Per second; 0 when no time has passed. */
export function perSecond(count: number, elapsedMs: number): number {
  return elapsedMs <= 0 ? 0 : (count * SECOND) / elapsedMs;
}

/** `1 key`, `2,000 keys`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}
