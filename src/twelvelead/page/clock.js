/** Time in a recording, as it is written and as a person types it. */

export const LONG_S = 300;
const TYPED = /^\s*(?:(?:(\d{1,3}):)?(\d{1,2}):)?(\d+(?:\.\d+)?)\s*(?:s\s*)?$/;

/** Hours, minutes and whole seconds: 0:10:00. */
export function clock(seconds) {
  const [minutes, second] = [Math.floor(seconds / 60), Math.floor(seconds % 60)];
  const twoDigits = (number) => String(number).padStart(2, "0");
  return `${Math.floor(minutes / 60)}:${twoDigits(minutes % 60)}:${twoDigits(second)}`;
}

/** A moment of a recording so long: by the clock from 5 minutes on, else in seconds. */
export function moment(seconds, durationS) {
  return durationS >= LONG_S ? clock(seconds) : seconds.toFixed(1);
}

/** From one moment to another of a recording, in words. */
export function span(fromS, toS, durationS) {
  const [from, to, whole] = [fromS, toS, durationS].map((seconds) => moment(seconds, durationS));
  return durationS >= LONG_S ? `${from} to ${to} of ${whole}` : `${from} to ${to} s of ${whole} s`;
}

/** Seconds of what was typed, h:mm:ss, mm:ss or seconds; NaN where it is none of these. */
export function secondsOf(typed) {
  const parts = TYPED.exec(typed);
  if (!parts) return NaN;
  const [hours, minutes, seconds] = parts.slice(1).map((part) => Number(part ?? 0));
  return 3600 * hours + 60 * minutes + seconds;
}
