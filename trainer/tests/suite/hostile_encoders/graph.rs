//! Small ONNX files, written field by field.

/// A message of protocol buffers, as its bytes.
#[derive(Clone, Default)]
pub(crate) struct Message(pub(crate) Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// With an integer.
    pub(crate) fn int(mut self, tag: u64, value: i64) -> Self {
        self.varint(tag << 3);
        self.varint(value as u64);
        self
    }

    /// With a number.
    pub(crate) fn float(mut self, tag: u64, value: f32) -> Self {
        self.varint(tag << 3 | 5);
        self.0.extend(value.to_le_bytes());
        self
    }

    /// With bytes, a text or a message.
    pub(crate) fn bytes(mut self, tag: u64, bytes: impl AsRef<[u8]>) -> Self {
        self.varint(tag << 3 | 2);
        self.varint(bytes.as_ref().len() as u64);
        self.0.extend(bytes.as_ref());
        self
    }

    /// With a list of messages.
    pub(crate) fn all(self, tag: u64, list: &[Message]) -> Self {
        list.iter().fold(self, |message, one| message.bytes(tag, &one.0))
    }
}

pub(crate) fn int(name: &str, value: i64) -> Message {
    Message::default().bytes(1, name).int(3, value).int(20, 2)
}

pub(crate) fn float(name: &str, value: f32) -> Message {
    Message::default().bytes(1, name).float(2, value).int(20, 1)
}

pub(crate) fn text(name: &str, value: &str) -> Message {
    Message::default().bytes(1, name).bytes(4, value).int(20, 3)
}

pub(crate) fn ints(name: &str, values: &[i64]) -> Message {
    let list = values.iter().fold(Message::default().bytes(1, name), |message, &value| message.int(8, value));
    list.int(20, 7)
}

/// A node, named like its operator, that reads a list of values separated by spaces.
pub(crate) fn node(operator: &str, inputs: &str, output: &str, attributes: &[Message]) -> Message {
    let read = inputs.split(' ').fold(Message::default(), |message, input| message.bytes(1, input));
    read.bytes(2, output).bytes(3, format!("the {operator}")).bytes(4, operator).all(5, attributes)
}

/// A tensor without numbers.
pub(crate) fn sized(name: &str, kind: i64, sizes: &[i64]) -> Message {
    sizes.iter().fold(Message::default(), |message, &size| message.int(1, size)).int(2, kind).bytes(8, name)
}

/// A tensor of f32, all of them small and different.
pub(crate) fn tensor(name: &str, sizes: &[i64]) -> Message {
    let n = sizes.iter().product::<i64>();
    let raw: Vec<u8> = (0..n).flat_map(|i| ((i % 7) as f32 / 10.0 - 0.3).to_le_bytes()).collect();
    sized(name, 1, sizes).bytes(9, raw)
}

pub(crate) fn integers(name: &str, values: &[i64]) -> Message {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    sized(name, 7, &[values.len() as i64]).bytes(9, raw)
}

/// A value of floats; sizes of -1 have a name instead.
pub(crate) fn value(name: &str, kind: i64, sizes: &[i64]) -> Message {
    let size = |&size: &i64| match size {
        -1 => Message::default().bytes(2, "open"),
        size => Message::default().int(1, size),
    };
    let shape = Message::default().all(1, &sizes.iter().map(size).collect::<Vec<_>>());
    let tensor = Message::default().int(1, kind).bytes(2, shape.0);
    Message::default().bytes(1, name).bytes(2, Message::default().bytes(1, tensor.0).0)
}

/// The parts of a file.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) nodes: Vec<Message>,
    pub(crate) tensors: Vec<Message>,
    pub(crate) inputs: Vec<Message>,
    pub(crate) outputs: Vec<Message>,
    pub(crate) version: Option<i64>,
}

impl Parts {
    /// An encoder of images of one channel and 6 x 6 pixels: a convolution, batch normalisation, ReLU, maximum, and a latent of
    /// three dimensions.
    pub(crate) fn sound() -> Self {
        let nodes = vec![
            node("Conv", "x kernel bias", "a", &[ints("pads", &[1; 4]), ints("kernel_shape", &[3, 3])]),
            node("BatchNormalization", "a scale shift mean variance", "b", &[float("epsilon", 0.001)]),
            node("Relu", "b", "c", &[]),
            node("MaxPool", "c", "d", &[ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])]),
            node("Flatten", "d", "e", &[]),
            node("Gemm", "e weight last", "z", &[int("transB", 1)]),
        ];
        let four = |name| tensor(name, &[4]);
        let variance = sized("variance", 1, &[4]).bytes(9, [1.0f32.to_le_bytes(); 4].concat());
        let tensors = vec![
            tensor("kernel", &[4, 1, 3, 3]),
            four("bias"),
            four("scale"),
            four("shift"),
            four("mean"),
            variance,
            tensor("weight", &[3, 36]),
            tensor("last", &[3]),
        ];
        let (inputs, outputs) = (vec![value("x", 1, &[-1, 1, 6, 6])], vec![value("z", 1, &[-1, 3])]);
        Self { nodes, tensors, inputs, outputs, version: Some(17) }
    }

    /// A single node between `x`, 36 values in a row, and `z`.
    pub(crate) fn flat(node: Message, tensors: Vec<Message>) -> Self {
        Self { nodes: vec![node], tensors, inputs: vec![value("x", 1, &[-1, 36])], ..Self::sound() }
    }

    pub(crate) fn file(&self) -> Vec<u8> {
        let Self { nodes, tensors, inputs, outputs, version } = self;
        let graph = Message::default().all(1, nodes).all(5, tensors).all(11, inputs).all(12, outputs);
        let file = Message::default().int(1, 8).bytes(7, graph.0);
        match version {
            Some(version) => file.bytes(8, Message::default().bytes(1, "").int(2, *version).0).0,
            None => file.0,
        }
    }
}
