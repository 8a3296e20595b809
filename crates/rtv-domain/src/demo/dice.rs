//! Random numbers that are the same on every run, for ever, and wherever the drawing begins: each thing that is drawn
//! has dice of its own, made from the numbers that name it.
//!
//! The generator is SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014). The
//! crate `rand` may change its generators between versions, and the demo must not change with them.

/// Steps of the generator: the golden ratio in 64 bits.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Dice for one thing.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    /// Dice of the thing that the numbers name.
    pub(super) fn of(name: &[u64]) -> Self {
        name.iter().fold(Self(0), |dice, part| Self(mixed(dice.0 ^ mixed(part.wrapping_add(STEP)))))
    }

    /// 64 random bits.
    pub(super) const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mixed(self.0)
    }

    /// From 0 to below 1.
    #[allow(clippy::cast_precision_loss, reason = "53 bits are what a float holds")]
    pub(super) fn share(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From `low` to below `high`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.share()
    }

    /// Whether something happens that happens with this chance.
    pub(super) fn happens(&mut self, chance: f64) -> bool {
        self.share() < chance
    }

    /// Around 0, mostly within ±2: the sum of shares comes close to a bell curve.
    pub(super) fn bell(&mut self) -> f64 {
        (0..12).map(|_| self.share()).sum::<f64>() - 6.0
    }

    /// A number below `end`, which is above 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.bits() % (end.max(1) as u64)).unwrap_or(0)
    }

    /// One of several.
    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// The index of one of several, by their weights.
    pub(super) fn weighed(&mut self, weights: &[f64]) -> usize {
        let mut left = self.share() * weights.iter().sum::<f64>();
        for (index, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return index;
            }
        }
        weights.len().saturating_sub(1)
    }
}

const fn mixed(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// The nearest whole number.
#[allow(clippy::cast_possible_truncation, reason = "a float beyond the range becomes its end, and none comes near")]
pub(super) fn whole(value: f64) -> i64 {
    value.round() as i64
}

/// A count as a float.
#[allow(clippy::cast_precision_loss, reason = "counts here stay far below 2^53")]
pub(super) const fn real(count: i64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_published_one() {
        // First outputs of SplitMix64 from the seed 0, as the reference implementation gives them.
        let mut dice = Dice(0);
        assert_eq!([dice.bits(), dice.bits()], [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]);
    }

    #[test]
    fn dice_of_a_name_are_the_same_on_every_run_and_others_for_other_names() {
        assert_eq!(Dice::of(&[1, 2, 3]).bits(), Dice::of(&[1, 2, 3]).bits());
        assert_ne!(Dice::of(&[1, 2, 3]).bits(), Dice::of(&[1, 3, 2]).bits());
        assert_ne!(Dice::of(&[1]).bits(), Dice::of(&[1, 0]).bits());
    }

    #[test]
    fn draws_keep_their_range_and_their_weights() {
        let mut dice = Dice::of(&[7]);
        let mut drawn = [0; 3];
        for _ in 0..10_000 {
            assert!((0.0..1.0).contains(&dice.share()));
            assert!(dice.bell().abs() <= 6.0);
            assert!(dice.below(3) < 3);
            drawn[dice.weighed(&[0.0, 1.0, 3.0])] += 1;
        }
        assert_eq!(drawn[0], 0);
        assert!((2_200..2_800).contains(&drawn[1]), "{drawn:?}");
    }
}
