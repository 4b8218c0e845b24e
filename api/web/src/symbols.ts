/** One drawing and one tone for each word, so that colour is never the only sign. */
import type { Word } from "./verdict.ts";

const RING = "M24 4a20 20 0 1 0 0 40a20 20 0 1 0 0-40z";
const TICK = "M14.5 24.8l6.6 6.7L33.6 18";
const CROSS = "M16.5 16.5l15 15M31.5 16.5l-15 15";

export const SYMBOLS: Readonly<Record<Word, readonly string[]>> = {
  valid: [RING, TICK],
  valid_offline: [RING, TICK], // its ring is dashed
  suspended: [RING, "M19 16v16M29 16v16"],
  expired: [RING, "M24 12.5V24l8 5"],
  not_yet_effective: ["M8 10h32v31H8zM8 19h32M16 5v9M32 5v9", "M18 30h12M25 25l5 5l-5 5"],
  superseded: ["M6 6h22v28H6z", "M34 14h8v28H20v-3", "M12 15h10M12 22h10"],
  revoked: [RING, "M9.9 9.9l28.2 28.2"],
  withdrawn: [RING, "M31 18H19a6 6 0 0 0 0 12h10M23 13l-5 5l5 5"],
  cancelled: [RING, "M15 24h18"],
  forged: ["M15.7 4h16.6L44 15.7v16.6L32.3 44H15.7L4 32.3V15.7z", CROSS],
  untrusted_issuer: ["M24 4l17 6v12c0 10.5-7 18-17 22C14 40 7 32.5 7 22V10z", "M18.5 17.5l11 11M29.5 17.5l-11 11"],
  unknown: [RING, "M17.8 18.5a6.3 6.3 0 1 1 9 5.7c-1.9 1-2.8 2.1-2.8 4.3M24 33.8v.400"],
  bound_copy: ["M8 6h20v26H8z", "M20 16h20v26H20z", "M30 25.5a3.5 3.5 0 1 1 0 7a3.5 3.5 0 1 1 0-7zM24.5 42v-1.5a5.5 5.5 0 0 1 11 0V42"],
};

export const TONES: Readonly<Record<Word, string>> = {
  valid: "good",
  valid_offline: "offline",
  suspended: "caution",
  expired: "caution",
  not_yet_effective: "wait",
  superseded: "replaced",
  revoked: "ended",
  withdrawn: "ended",
  cancelled: "ended",
  forged: "danger",
  untrusted_issuer: "danger",
  unknown: "unclear",
  bound_copy: "caution",
};
