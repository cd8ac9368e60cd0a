//! The formats that are read, and those of other programs, by the names of files.

use std::path::Path;

/// The format of a file, by its name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FileFormat {
    /// A folder of images.
    Folder,
    /// CSV, plain or packed by gzip.
    Text,
    Parquet,
    Npy,
    Npz,
    /// Any other name: IDX files have no ending. Their first bytes are checked when they are read.
    Idx,
}

impl FileFormat {
    /// The format that the name says.
    pub(super) fn from_name(path: &Path) -> Self {
        let ending = |path: &Path| path.extension().and_then(|ending| ending.to_str()).unwrap_or("").to_lowercase();
        let inner = if ending(path) == "gz" { path.with_extension("") } else { path.into() };
        match &*ending(path) {
            _ if path.is_dir() => Self::Folder,
            "npz" => Self::Npz,
            "npy" => Self::Npy,
            "parquet" | "pq" => Self::Parquet,
            _ if matches!(&*ending(&inner), "csv" | "tsv" | "tab" | "txt" | "dat" | "data" | "asc") => Self::Text,
            _ => Self::Idx,
        }
    }

    /// Whether a file has columns of labels, groups and times beside those of features. The reader of such a format
    /// chooses among them; otherwise labels are an array of their own.
    pub(super) fn has_columns(self) -> bool {
        match self {
            Self::Text | Self::Parquet => true,
            Self::Folder | Self::Npy | Self::Npz | Self::Idx => false,
        }
    }
}

/// What to do with a file of another program, by its name.
pub(super) fn foreign(path: &Path) -> Option<&'static str> {
    let ending = path.extension()?.to_str()?.to_lowercase();
    Some(match &*ending {
        "xlsx" | "xls" | "ods" | "numbers" => "it is a spreadsheet: save the sheet as CSV",
        "feather" | "arrow" | "orc" | "avro" => "it is a table in another binary format: write it as Parquet",
        "mat" | "h5" | "hdf5" | "nc" | "pkl" | "pickle" | "pt" | "tfrecord" => {
            "its format is not read: write its array with numpy.save or numpy.savez"
        }
        "json" | "jsonl" | "xml" | "sqlite" | "db" => "its format is not read: write it as CSV or Parquet",
        "wav" | "mp3" | "flac" | "ogg" => "it is sound: write its samples as CSV or with numpy.save",
        "png" | "jpg" | "jpeg" | "bmp" | "tif" | "tiff" | "webp" | "gif" => {
            "it is a single image: name the folder that holds the images"
        }
        "zip" | "tar" | "7z" | "rar" => "it is an archive: unpack it and name a file or the folder in it",
        _ => return None,
    })
}
