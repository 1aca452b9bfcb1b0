//! Leaves out packets that belong to another session: live555 before 2017, and cameras made with it, send what is left of
//! a session to whoever has its file descriptor next. Pure.

/// So many packets of others are taken for a mistake; then the announcement is taken for one.
const AT_FIRST: u32 = 8;
/// So many packets of another source in a row mean that the camera has changed its own.
const IN_A_ROW: u32 = 200;

/// Tells the RTP packets of one track from others.
#[derive(Clone, Debug)]
pub(super) struct SourceFilter {
    announced: Option<u32>,
    current: Option<u32>,
    foreign: u32,
}

impl SourceFilter {
    /// A track whose source the camera has announced, or not.
    pub(super) fn new(announced: Option<u32>) -> Self {
        Self {
            announced,
            current: None,
            foreign: 0,
        }
    }

    /// Whether a packet belongs to the track. What is no RTP packet is left to its reader.
    pub(super) fn admits(&mut self, packet: &[u8]) -> bool {
        const RTCP: std::ops::RangeInclusive<u8> = 192..=223;
        let [_, kind, _, _, _, _, _, _, a, b, c, d, ..] = *packet else {
            return true;
        };
        if RTCP.contains(&kind) {
            return true;
        }
        let source = Some(u32::from_be_bytes([a, b, c, d]));
        let patience = match self.current {
            None if self.announced.is_none() => 0,
            None => AT_FIRST,
            Some(_) => IN_A_ROW,
        };
        if source != self.current && source != self.announced && self.foreign < patience {
            self.foreign += 1;
            return false;
        }
        // Where this is a change, the reader ends the session over it, and another begins.
        self.current = source;
        self.foreign = 0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(source: u32) -> Vec<u8> {
        let mut packet = vec![0x80, 96, 0, 1, 0, 0, 0, 0];
        packet.extend(source.to_be_bytes());
        packet
    }

    /// Which packets of these sources are admitted.
    fn admitted(announced: Option<u32>, sources: &[u32]) -> Vec<u32> {
        let mut filter = SourceFilter::new(announced);
        let sources = sources.iter().copied();
        sources
            .filter(|source| filter.admits(&packet(*source)))
            .collect()
    }

    #[test]
    fn the_announced_source_is_picked_out() {
        assert_eq!(admitted(Some(1), &[2, 2, 1, 2, 1, 3, 1]), [1, 1, 1]);
    }

    #[test]
    fn without_an_announcement_the_first_source_is_the_one() {
        assert_eq!(admitted(None, &[2, 1, 2, 1]), [2, 2]);
    }

    #[test]
    fn an_announcement_that_does_not_come_true_is_forgotten() {
        assert_eq!(admitted(Some(1), &[2; 12]).len(), 4);
    }

    #[test]
    fn a_source_that_stays_replaces_the_old_one() {
        let mut sources = vec![1];
        sources.extend([2; 300]);
        assert_eq!(admitted(None, &sources).len(), 101);
    }

    #[test]
    fn what_is_no_rtp_packet_passes() {
        let mut filter = SourceFilter::new(Some(1));
        assert!(filter.admits(&[]));
        let mut report = packet(9);
        report[1] = 200;
        assert!(filter.admits(&report));
    }
}
