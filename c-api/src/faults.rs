//! What is wrong with a part of a model, as a number and as a text.

use core::ffi::CStr;

use edgemix_runtime::Fault;

/// The number of a fault that has none of its own.
const UNKNOWN: u8 = 255;

/// The numbers of faults with a text each. A number stays what it is in later versions.
macro_rules! faults {
    ($($fault:ident = $code:literal, $text:literal;)*) => {
        /// The number of a fault, from 1.
        pub(crate) fn code(fault: Fault) -> u8 {
            match fault {
                Fault::Disabled(_) => 3,
                $(Fault::$fault => $code,)*
                _ => UNKNOWN,
            }
        }

        /// What the fault with a number is; empty for 0 and for numbers of no fault.
        pub(crate) fn text(code: u8) -> &'static CStr {
            match code {
                3 => c"this library was built without a feature that it needs",
                $($code => $text,)*
                UNKNOWN => c"it is not valid",
                _ => c"",
            }
        }

        #[cfg(test)]
        const ALL: &[(&str, Fault)] = &[$((stringify!($fault), Fault::$fault),)*];
    };
}

faults! {
    Malformed = 1, c"the bytes end too early, or hold a value that this version does not define";
    UnknownVariant = 2, c"this version does not know this kind of part; a later version may";
    TensorLength = 4, c"a tensor has the wrong number of elements";
    TensorAlignment = 5, c"a tensor is not at a multiple of 16 bytes";
    Stride = 6, c"the tensors of one autoencoder pair need more bytes than lie between two pairs";
    TensorOutside = 7, c"a tensor ends beyond the end of the file";
    Size = 8, c"a size is zero or too large";
    LayerCount = 9, c"the number of layers is not allowed here";
    Inputs = 10, c"it takes another number of elements than what is before it gives";
    Outputs = 11, c"an autoencoder's network gives the wrong number of elements";
    Channels = 12, c"the number of channels does not divide the input's length";
    Window = 13, c"the window does not fit its padded image";
    Scale = 14, c"a scale is not a finite positive number";
    NotFinite = 15, c"the value of a raw count of 0 is not finite";
    Center = 16, c"a center is beyond the range of int16";
    Multiplier = 17, c"a multiplier is negative";
    Shift = 18, c"a shift is out of range";
    Bias = 19, c"a bias could overflow a sum";
    ZeroPoint = 20, c"the last layer's zero point is not 0";
    TableInLastLayer = 21, c"the last layer gives int16, but its table gives int8";
    CurveBeforeLastLayer = 22, c"the layer gives int8, but its curve gives int16";
    FrontEndCount = 23, c"there are too many front ends";
    Transform = 24, c"the length of the Fourier transform is not a power of two from 16 to 1024";
    Frames = 25, c"the frames do not fit the window or the transform, or there are too many";
    Signals = 26, c"a signal has no channel, or one that the window does not have";
    Bands = 27, c"the edges of the bands do not ascend, or lie beyond the last bin";
    Statistics = 28, c"a statistic is unknown, or not allowed beside the energies of each frame";
    Floor = 29, c"a floor or a level is too large";
    Taper = 30, c"a taper is negative";
    PoolingInLastLayer = 31, c"the last layer gives int16, but pooling gives int8";
    AveragePadding = 32, c"average pooling has padding";
    UnknownCluster = 33, c"a component names a cluster that does not exist";
    EmptyCluster = 34, c"a cluster has no component";
    UnknownTable = 35, c"a cluster names a table that does not exist";
    TableEnd = 36, c"a table has no entries, or does not end where it must";
    NotAscending = 37, c"a table does not ascend";
    LevelCount = 38, c"there are too many levels above the clusters";
    LevelOrder = 39, c"a level does not have fewer clusters than the one below it, or it has none";
    UnknownParent = 40, c"a cluster is part of one that the next level does not have";
    Childless = 41, c"a cluster of a level has no clusters of the level below";
    Shares = 42, c"the share of a cluster is zero, or the shares are more than 1 together";
    FrontEndOrder = 43, c"a front end is not followed by one that takes what it gives";
    SectionCount = 44, c"a filter has no sections, or too many";
    Section = 45, c"a section of a filter is unstable, or its gain for a constant is neither 1 nor 0";
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, format, string::ToString, vec::Vec};

    use super::*;

    /// Names of an enum's variants in the source of the format, which no `match` in another crate can hold us to.
    fn variants(of: &str) -> Vec<&'static str> {
        let source = include_str!("../../format/src/error.rs");
        let (_, body) = source.split_once(&format!("pub enum {of} {{")).unwrap();
        let (body, _) = body.split_once("\n}").unwrap();
        let names = body.lines().filter_map(|line| line.strip_prefix("    ")?.split(['(', ',', ' ']).next());
        names.filter(|name| name.starts_with(|c: char| c.is_ascii_uppercase())).collect()
    }

    #[test]
    fn every_error_of_loading_has_a_status() {
        let errors = variants("LoadError");
        assert!(errors.len() > 20);
        for error in errors {
            let is_known = include_str!("status.rs").contains(&format!("E::{error}"));
            assert!(is_known, "`of_load` in c-api/src/status.rs needs a line for LoadError::{error}");
        }
    }

    #[test]
    fn every_fault_has_a_number_and_its_own_text() {
        let mut known: BTreeSet<&str> = ALL.iter().map(|(name, _)| *name).collect();
        known.insert("Disabled");
        let all: BTreeSet<&str> = variants("Fault").into_iter().collect();
        assert!(all.len() > 30);
        assert_eq!(known, all, "a fault needs a line in {}", file!());
        let codes: BTreeSet<u8> = ALL.iter().map(|(_, fault)| code(*fault)).collect();
        assert_eq!(codes.len(), ALL.len());
        for &(name, fault) in ALL {
            assert_eq!(text(code(fault)).to_str().unwrap(), fault.to_string(), "{name}");
            assert!(![0, 3, UNKNOWN].contains(&code(fault)), "{name}");
        }
        assert!(format!("{:?}", text(0)) == "\"\"" && text(200).is_empty());
    }
}
