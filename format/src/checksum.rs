//! The checksum of a file.

/// Where the checksum stands in the header.
pub const CRC_OFFSET: usize = 12;

/// Computes the CRC-32 (ISO-HDLC, as in zip and Ethernet) of all bytes but the four that hold the checksum.
///
/// `None` if `bytes` ends before the checksum's place does.
///
/// ```
/// use edgemix_format::{checksum, header::Header, testing::Spec};
///
/// let bytes = Spec::default().build().unwrap();
/// assert_eq!(checksum(&bytes), Some(Header::from_bytes(&bytes).unwrap().crc));
/// assert_eq!(checksum(b"short"), None);
/// ```
pub fn checksum(bytes: &[u8]) -> Option<u32> {
    const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    let (before, rest) = bytes.split_at_checked(CRC_OFFSET)?;
    let after = rest.get(4..)?;
    let mut digest = CRC.digest();
    digest.update(before);
    digest.update(after);
    Some(digest.finalize())
}
