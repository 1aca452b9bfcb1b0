use std::time::SystemTime;

use bytes::Bytes;

/// Puts the time at which a picture was taken into a JPEG file, in UTC (Exif 2.32 sections 4.6.3 and 4.6.5). The file
/// stays as it is where that cannot be written: before the year 0 and after 9999.
pub(crate) fn with_capture_time(jpeg: Bytes, taken: SystemTime) -> Bytes {
    let (Some(end), Some(segment)) = (end_of_first_segments(&jpeg), segment(taken)) else {
        return jpeg;
    };
    let mut file = Vec::with_capacity(jpeg.len() + segment.len());
    file.extend_from_slice(&jpeg[..end]);
    file.extend(segment);
    file.extend_from_slice(&jpeg[end..]);
    file.into()
}

/// Where the start of image and the JFIF segment end.
fn end_of_first_segments(jpeg: &[u8]) -> Option<usize> {
    match jpeg {
        [0xff, 0xd8, 0xff, 0xe0, high, low, ..] => {
            let end = 4 + usize::from(u16::from_be_bytes([*high, *low]));
            (end <= jpeg.len()).then_some(end)
        }
        [0xff, 0xd8, ..] => Some(2),
        _ => None,
    }
}

/// An APP1 segment: a directory that holds nothing but where the directory of the four fields is.
fn segment(taken: SystemTime) -> Option<Vec<u8>> {
    const ASCII: u16 = 2;
    const LONG: u16 = 4;
    const UNDEFINED: u16 = 7;
    const EXIF_DIRECTORY: u16 = 0x8769;
    const DIRECTORY: u32 = 26;
    let time = jiff::Timestamp::try_from(taken).ok()?;
    let text = |format: &str| time.strftime(format).to_string() + "\0";
    let date = text("%Y:%m:%d %H:%M:%S");
    if date.len() != 20 {
        return None;
    }
    let fields = [
        (0x9000, UNDEFINED, "0232".to_owned()),
        (0x9003, ASCII, date),
        (0x9011, ASCII, "+00:00\0".to_owned()),
        (0x9291, ASCII, text("%3f")),
    ];
    let mut tiff = b"II*\0\x08\0\0\0\x01\0".to_vec();
    tiff.extend(EXIF_DIRECTORY.to_le_bytes());
    tiff.extend(LONG.to_le_bytes());
    tiff.extend(1u32.to_le_bytes());
    tiff.extend(DIRECTORY.to_le_bytes());
    tiff.extend([0; 4]); // no directory after it
    tiff.extend((fields.len() as u16).to_le_bytes());
    let mut values = Vec::<u8>::new();
    let after = DIRECTORY + 2 + 12 * fields.len() as u32 + 4;
    for (tag, kind, value) in fields {
        tiff.extend(u16::to_le_bytes(tag));
        tiff.extend(kind.to_le_bytes());
        tiff.extend((value.len() as u32).to_le_bytes());
        if value.len() == 4 {
            tiff.extend(value.as_bytes());
        } else {
            tiff.extend((after + values.len() as u32).to_le_bytes());
            values.extend(value.as_bytes());
        }
    }
    tiff.extend([0; 4]);
    tiff.extend(values);
    let mut segment = vec![0xff, 0xe1];
    segment.extend((2 + 6 + tiff.len() as u16).to_be_bytes());
    segment.extend(b"Exif\0\0");
    segment.extend(tiff);
    Some(segment)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_time_stands_after_the_first_segment_and_nothing_else_changes() {
        let jpeg = [
            0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xdb, 0, 2, 0xff, 0xd9,
        ];
        let taken = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
        let file = with_capture_time(jpeg.to_vec().into(), taken);
        let length = file.len() - jpeg.len();
        assert_eq!((&file[..8], &file[8 + length..]), (&jpeg[..8], &jpeg[8..]));
        let text = String::from_utf8_lossy(&file[8..8 + length]).into_owned();
        assert!(text.ends_with("2023:11:14 22:13:20\0+00:00\0"), "{text:?}");
        assert!(text.contains("123\0"), "{text:?}");
        let told = u16::from_be_bytes([file[10], file[11]]);
        assert_eq!(usize::from(told), length - 2);
    }

    #[test]
    fn what_is_no_jpeg_stays_as_it_is() {
        for data in [&b"PNG"[..], &[0xff, 0xd8, 0xff, 0xe0, 0xff, 0xff, 1]] {
            let file = with_capture_time(data.to_vec().into(), SystemTime::now());
            assert_eq!(file, data);
        }
    }
}
