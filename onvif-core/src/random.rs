//! Random numbers of the operating system, from the library that TLS needs anyway.

use rustls::crypto::ring::default_provider;

/// Bytes that nobody can foresee.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    default_provider()
        .secure_random
        .fill(&mut bytes)
        .expect("the operating system has random numbers");
    bytes
}

/// A number from 0 to just below 1.
pub(crate) fn fraction() -> f64 {
    let number = u32::from_ne_bytes(bytes());
    f64::from(number) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_differ_and_keep_to_their_range() {
        assert_ne!(bytes::<16>(), bytes::<16>());
        assert!((0..1000).all(|_| (0.0..1.0).contains(&fraction())));
    }
}
