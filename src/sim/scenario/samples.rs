//! Many measurements of one thing.

/// Measurements, in whole units of which the owner knows what they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Samples {
    values: Vec<u32>,
    sorted: bool,
}

impl Samples {
    /// Adds one.
    pub fn add(&mut self, value: u64) {
        self.values.push(u32::try_from(value).unwrap_or(u32::MAX));
        self.sorted = false;
    }

    /// Puts them in order, after which they can be read.
    pub fn sort(&mut self) {
        self.values.sort_unstable();
        self.sorted = true;
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The smallest that is not exceeded by this share of them.
    ///
    /// # Panics
    /// If they were not sorted.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<u32> {
        assert!(self.sorted || self.values.is_empty(), "sorted before they are read");
        let last = self.values.len().checked_sub(1)?;
        let at = (share * self.values.len() as f64).ceil() as usize;
        Some(self.values[at.saturating_sub(1).min(last)])
    }

    /// All of them, in order once sorted.
    #[must_use]
    pub fn values(&self) -> &[u32] {
        &self.values
    }
}

impl FromIterator<u64> for Samples {
    fn from_iter<I: IntoIterator<Item = u64>>(values: I) -> Self {
        let mut samples = Self::default();
        values.into_iter().for_each(|value| samples.add(value));
        samples.sort();
        samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let samples: Samples = (1..=100).rev().collect();
        let read = [0.0, 0.5, 0.9, 0.99, 1.0].map(|share| samples.quantile(share).unwrap());
        assert_eq!(read, [1, 50, 90, 99, 100]);
        assert_eq!(Samples::default().quantile(0.5), None);
    }
}
