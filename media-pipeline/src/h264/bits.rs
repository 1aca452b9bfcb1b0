/// Reads the bits of a raw byte sequence payload: emulation prevention bytes are skipped on the way.
pub(crate) struct BitReader<'a> {
    data: &'a [u8],
    position: usize,
    zeros: u8,
    current: u8,
    left: u8,
}

impl<'a> BitReader<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Self {
            data,
            position: 0,
            zeros: 0,
            current: 0,
            left: 0,
        }
    }

    pub(crate) fn bit(&mut self) -> Option<bool> {
        if self.left == 0 {
            let mut byte = *self.data.get(self.position)?;
            self.position += 1;
            if self.zeros >= 2 && byte == 3 {
                self.zeros = 0;
                byte = *self.data.get(self.position)?;
                self.position += 1;
            }
            self.zeros = if byte == 0 {
                self.zeros.saturating_add(1)
            } else {
                0
            };
            self.current = byte;
            self.left = 8;
        }
        self.left -= 1;
        Some(self.current >> self.left & 1 == 1)
    }

    /// `u(n)`, at most 32 bits.
    pub(crate) fn bits(&mut self, count: u32) -> Option<u32> {
        (0..count).try_fold(0, |value, _| Some(value << 1 | u32::from(self.bit()?)))
    }

    /// `ue(v)`.
    pub(crate) fn unsigned(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.bit()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some((1 << zeros) - 1 + self.bits(zeros)?)
    }

    /// `se(v)`.
    pub(crate) fn signed(&mut self) -> Option<i32> {
        let code = i64::from(self.unsigned()?);
        i32::try_from(if code % 2 == 1 {
            (code + 1) / 2
        } else {
            -(code / 2)
        })
        .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_golomb_codes_are_read() {
        // 1 | 010 | 011 | 00100 | 00101
        let mut reader = BitReader::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let values: Vec<_> = (0..5).map_while(|_| reader.unsigned()).collect();
        assert_eq!(values, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn emulation_prevention_bytes_are_skipped() {
        let mut reader = BitReader::new(&[0, 0, 3, 1, 0xff]);
        assert_eq!(reader.bits(24), Some(1));
        assert_eq!(reader.bits(8), Some(0xff));
        assert_eq!(reader.bit(), None);
    }

    #[test]
    fn a_code_of_endless_zeros_is_refused() {
        assert_eq!(BitReader::new(&[0, 1, 0, 1, 0, 1]).unsigned(), Some(32_767));
        assert_eq!(BitReader::new(&[0, 0, 3, 0, 0, 3, 0, 0]).unsigned(), None);
    }
}
