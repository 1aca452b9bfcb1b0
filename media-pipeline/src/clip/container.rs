use std::fmt;
use std::str::FromStr;

use crate::{Codec, Error, Media};

/// The kind of file of a clip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Container {
    /// MP4 in fragments: what is written so far plays, also after a crash. H.264, H.265, JPEG; AAC.
    Mp4,
    /// MP4 with its index at the end, for players that do not know fragments. Does not play before it is complete.
    PlainMp4,
    /// Matroska. All codecs.
    Mkv,
    /// AVI. H.264 without B-frames, JPEG; AAC, G.711.
    Avi,
    /// MPEG transport stream, also `.ts`. H.264, H.265; AAC.
    Mts,
    /// MPEG program stream. H.264, H.265; AAC.
    Mpeg,
    /// Flash video. H.264; AAC, G.711.
    Flv,
    /// JPEG pictures one after the other. No sound, no times.
    Mjpeg,
    /// WebM takes none of the codecs that cameras send; kept so that the error can say so.
    Webm,
}

impl Container {
    const ALL: [Self; 9] = [
        Self::Mp4,
        Self::PlainMp4,
        Self::Mkv,
        Self::Avi,
        Self::Mts,
        Self::Mpeg,
        Self::Flv,
        Self::Mjpeg,
        Self::Webm,
    ];

    /// Ending of the files' names, without dot.
    pub fn extension(self) -> &'static str {
        match self {
            Container::Mp4 | Container::PlainMp4 => "mp4",
            Container::Mkv => "mkv",
            Container::Avi => "avi",
            Container::Mts => "mts",
            Container::Mpeg => "mpg",
            Container::Flv => "flv",
            Container::Mjpeg => "mjpeg",
            Container::Webm => "webm",
        }
    }

    /// Whether a track of this codec can be put into it as it is.
    pub fn fits(self, codec: Codec) -> bool {
        use Codec::{Aac, H264, H265, Jpeg, Pcma, Pcmu};
        match self {
            Container::Mp4 | Container::PlainMp4 => matches!(codec, H264 | H265 | Jpeg | Aac),
            Container::Mkv => codec.media() != Media::Metadata,
            Container::Avi => matches!(codec, H264 | Jpeg | Aac | Pcma | Pcmu),
            Container::Mts | Container::Mpeg => matches!(codec, H264 | H265 | Aac),
            Container::Flv => matches!(codec, H264 | Aac | Pcma | Pcmu),
            Container::Mjpeg => codec == Jpeg,
            Container::Webm => false,
        }
    }

    /// The error for a codec that does not fit, with what would.
    /// `how` says what it is about the track, if not the codec as such.
    pub(super) fn refuse(self, codec: Codec, how: &'static str) -> Error {
        let mut fitting: Vec<_> = Self::ALL
            .iter()
            .filter(|other| **other != self && other.fits(codec))
            .map(|other| other.extension())
            .collect();
        fitting.dedup();
        Error::Container {
            container: self,
            codec,
            how,
            fitting: if fitting.is_empty() {
                "none does".into()
            } else {
                fitting.join(", ")
            },
        }
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.extension())
    }
}

impl FromStr for Container {
    type Err = Error;

    /// Reads the ending of a file's name; `mp4` is the one in fragments.
    ///
    /// # Errors
    /// [`Error::Option`] for another word.
    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "ts" => return Ok(Container::Mts),
            "mpeg" => return Ok(Container::Mpeg),
            _ => {}
        }
        let found = Self::ALL.into_iter().find(|c| c.extension() == text);
        found.ok_or_else(|| Error::Option {
            option: "container",
            reason: format!(
                "{text:?} is not known; mp4, mkv, avi, mts, mpg, mpeg, flv, mjpeg and webm are"
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_what_fits() {
        let text = Container::Webm.refuse(Codec::H265, "").to_string();
        assert_eq!(
            text,
            "webm files cannot hold H.265 without decoding and encoding it again; these can: mp4, mkv, mts, mpg"
        );
    }

    #[test]
    fn every_name_of_the_contract_is_known() {
        for name in [
            "avi", "mp4", "mkv", "mts", "mjpeg", "mpg", "mpeg", "flv", "webm",
        ] {
            assert!(name.parse::<Container>().is_ok(), "{name}");
        }
        assert!("mov".parse::<Container>().is_err());
        assert_eq!("mp4".parse::<Container>().unwrap(), Container::Mp4);
    }
}
