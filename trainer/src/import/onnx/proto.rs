//! The messages of an ONNX file, as far as this program reads and writes them.
//!
//! Fields and their numbers are those of `onnx.proto` of ONNX 1.17 (<https://github.com/onnx/onnx>); what is not listed here is
//! skipped. Messages that a file can repeat in two bytes each stay encoded ([`Bytes`], which copies nothing) until their number
//! was checked.
//!
//! They are written down here so that no compiler of protocol buffers is needed. The crate `prost` was chosen since it compares
//! each length with the bytes that there are, bounds how deep messages are nested, and adds two crates to the build;
//! `rten-onnx` 0.27, which has no dependencies at all, does neither of the first two.

use prost::bytes::Bytes;
use prost::{Enumeration, Message, Oneof};

/// A file.
#[derive(Clone, PartialEq, Message)]
pub(in crate::import) struct Model {
    #[prost(int64, tag = "1")]
    pub(in crate::import) ir_version: i64,
    #[prost(string, tag = "2")]
    pub(in crate::import) producer: String,
    #[prost(message, optional, tag = "7")]
    pub(in crate::import) graph: Option<Graph>,
    #[prost(message, repeated, tag = "8")]
    pub(in crate::import) operator_sets: Vec<OperatorSet>,
}

/// A version of a set of operators.
#[derive(Clone, PartialEq, Message)]
pub(in crate::import) struct OperatorSet {
    #[prost(string, tag = "1")]
    pub(in crate::import) domain: String,
    #[prost(int64, tag = "2")]
    pub(in crate::import) version: i64,
}

/// Nodes in an order in which they can run.
#[derive(Clone, PartialEq, Message)]
pub(in crate::import) struct Graph {
    /// Of [`Node`].
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub(in crate::import) nodes: Vec<Bytes>,
    #[prost(string, tag = "2")]
    pub(in crate::import) name: String,
    /// Of [`Tensor`].
    #[prost(bytes = "bytes", repeated, tag = "5")]
    pub(in crate::import) initializers: Vec<Bytes>,
    /// Of [`ValueInfo`].
    #[prost(bytes = "bytes", repeated, tag = "11")]
    pub(in crate::import) inputs: Vec<Bytes>,
    /// Of [`ValueInfo`].
    #[prost(bytes = "bytes", repeated, tag = "12")]
    pub(in crate::import) outputs: Vec<Bytes>,
}

/// An operator and what it reads and writes.
#[derive(Clone, PartialEq, Message)]
pub(in crate::import) struct Node {
    #[prost(string, repeated, tag = "1")]
    pub(in crate::import) inputs: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub(in crate::import) outputs: Vec<String>,
    #[prost(string, tag = "3")]
    pub(in crate::import) name: String,
    #[prost(string, tag = "4")]
    pub(in crate::import) operator: String,
    /// Of [`Attribute`].
    #[prost(bytes = "bytes", repeated, tag = "5")]
    pub(in crate::import) attributes: Vec<Bytes>,
    #[prost(string, tag = "7")]
    pub(in crate::import) domain: String,
}

/// A setting of an operator.
#[derive(Clone, PartialEq, Message)]
pub(in crate::import) struct Attribute {
    #[prost(string, tag = "1")]
    pub(in crate::import) name: String,
    #[prost(float, tag = "2")]
    pub(in crate::import) float: f32,
    #[prost(int64, tag = "3")]
    pub(in crate::import) int: i64,
    #[prost(bytes = "bytes", tag = "4")]
    pub(in crate::import) string: Bytes,
    #[prost(message, optional, boxed, tag = "5")]
    pub(in crate::import) tensor: Option<Box<Tensor>>,
    #[prost(float, repeated, packed = "false", tag = "7")]
    pub(in crate::import) floats: Vec<f32>,
    #[prost(int64, repeated, packed = "false", tag = "8")]
    pub(in crate::import) ints: Vec<i64>,
    #[prost(enumeration = "AttributeKind", tag = "20")]
    pub(in crate::import) kind: i32,
}

/// Which field of an attribute holds its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
#[repr(i32)]
pub(in crate::import) enum AttributeKind {
    Undefined = 0,
    Float = 1,
    Int = 2,
    String = 3,
    Tensor = 4,
    Floats = 6,
    Ints = 7,
}

/// An array of numbers.
#[derive(Clone, PartialEq, Message)]
pub(in crate::import) struct Tensor {
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub(in crate::import) sizes: Vec<i64>,
    #[prost(int32, tag = "2")]
    pub(in crate::import) kind: i32,
    #[prost(float, repeated, tag = "4")]
    pub(in crate::import) floats: Vec<f32>,
    #[prost(int32, repeated, tag = "5")]
    pub(in crate::import) ints: Vec<i32>,
    #[prost(int64, repeated, tag = "7")]
    pub(in crate::import) longs: Vec<i64>,
    #[prost(string, tag = "8")]
    pub(in crate::import) name: String,
    #[prost(bytes = "bytes", tag = "9")]
    pub(in crate::import) raw: Bytes,
    #[prost(double, repeated, tag = "10")]
    pub(in crate::import) doubles: Vec<f64>,
    /// Where the numbers are in another file, of [`Entry`].
    #[prost(bytes = "bytes", repeated, tag = "13")]
    pub(in crate::import) external: Vec<Bytes>,
    /// 1 if the numbers are in another file.
    #[prost(int32, tag = "14")]
    pub(in crate::import) location: i32,
}

/// A word and what it says.
#[derive(Clone, PartialEq, Message)]
pub(in crate::import) struct Entry {
    #[prost(string, tag = "1")]
    pub(in crate::import) key: String,
    #[prost(string, tag = "2")]
    pub(in crate::import) value: String,
}

/// The type of the numbers of a tensor, by its number in the file.
pub(in crate::import) mod kinds {
    pub(in crate::import) const FLOAT: i32 = 1;
    pub(in crate::import) const INT32: i32 = 6;
    pub(in crate::import) const INT64: i32 = 7;
    pub(in crate::import) const FLOAT16: i32 = 10;
    pub(in crate::import) const DOUBLE: i32 = 11;
    pub(in crate::import) const BFLOAT16: i32 = 16;
}

/// The name and type of a value.
#[derive(Clone, PartialEq, Message)]
pub(in crate::import) struct ValueInfo {
    #[prost(string, tag = "1")]
    pub(in crate::import) name: String,
    #[prost(message, optional, tag = "2")]
    pub(in crate::import) kind: Option<ValueType>,
}

/// The type of a value; `None` if it is no tensor.
#[derive(Clone, PartialEq, Message)]
pub(in crate::import) struct ValueType {
    #[prost(message, optional, tag = "1")]
    pub(in crate::import) tensor: Option<TensorType>,
}

/// The type of a tensor.
#[derive(Clone, PartialEq, Message)]
pub(in crate::import) struct TensorType {
    #[prost(int32, tag = "1")]
    pub(in crate::import) kind: i32,
    #[prost(message, optional, tag = "2")]
    pub(in crate::import) shape: Option<Shape>,
}

/// The sizes of a tensor.
#[derive(Clone, PartialEq, Message)]
pub(in crate::import) struct Shape {
    #[prost(message, repeated, tag = "1")]
    pub(in crate::import) sizes: Vec<Size>,
}

/// A size, or what is known of it.
#[derive(Clone, PartialEq, Message)]
pub(in crate::import) struct Size {
    #[prost(oneof = "SizeValue", tags = "1, 2")]
    pub(in crate::import) value: Option<SizeValue>,
}

/// A number, or the name of a size that is open.
#[derive(Clone, PartialEq, Oneof)]
pub(in crate::import) enum SizeValue {
    #[prost(int64, tag = "1")]
    Number(i64),
    #[prost(string, tag = "2")]
    Name(String),
}
