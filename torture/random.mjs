// Dice that fall the same way for the same seed, so that a run can be repeated.

/** @param {string} text The seed, and what the dice are for: each use has its own. */
export function dice(text) {
  let state = 0x811c9dc5;
  for (const letter of text) state = Math.imul(state ^ letter.codePointAt(0), 0x01000193) >>> 0;
  // mulberry32: small, and good enough to choose victims and moments.
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    /** From 0 up to 1. */
    share: next,
    /** A whole number from the first up to the last, both possible. */
    between: (first, last) => first + Math.floor(next() * (last - first + 1)),
    /** One of a list. */
    one: (list) => list[Math.floor(next() * list.length)],
  };
}
