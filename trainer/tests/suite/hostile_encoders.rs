//! Encoders of other programs that are damaged, hostile or not supported: each is refused with what is wrong where, without a
//! panic, and without memory for numbers that a file only claims to have.

mod graph;

use std::fs;
use std::path::Path;

use edgemix::data::{ImageShape, Layout, Samples};
use edgemix::import::{StateDictLayers, read_onnx, read_state_dict};
use edgemix::random::stream;
use edgemix::trained::Activation;
use graph::{Message, Parts, float, int, integers, ints, node, sized, tensor, text, value};
use rand::RngExt;
use safetensors::tensor::{Dtype, TensorView};

fn images(channels: usize) -> Samples {
    let shape = ImageShape { channels, height: 6, width: 6 };
    let values = (0..2 * shape.n_values()).map(|i| (i % 11) as f32).collect();
    Samples::new("images", values, shape.n_values()).with_layout(Layout::Images(shape))
}

/// What reading a file answers.
fn answer(path: &Path, bytes: &[u8], samples: &Samples) -> Result<usize, String> {
    fs::write(path, bytes).unwrap();
    read_onnx(path, samples, None).map(|encoder| encoder.n_dims()).map_err(|error| error.to_string())
}

/// A sound file with one node in place of another.
fn with_node(at: usize, node: Message) -> Vec<u8> {
    let mut parts = Parts::sound();
    parts.nodes[at] = node;
    parts.file()
}

/// A sound file with one tensor in place of another.
fn with_tensor(at: usize, tensor: Message) -> Vec<u8> {
    let mut parts = Parts::sound();
    parts.tensors[at] = tensor;
    parts.file()
}

fn changed(change: impl FnOnce(&mut Parts)) -> Vec<u8> {
    let mut parts = Parts::sound();
    change(&mut parts);
    parts.file()
}

/// A sound file whose tensor `bias` is in another file.
fn elsewhere(entries: &[(&str, &str)]) -> Vec<u8> {
    let entry = |(key, value): &(&str, &str)| Message::default().bytes(1, key).bytes(2, value);
    let entries: Vec<Message> = entries.iter().map(entry).collect();
    with_tensor(1, sized("bias", 1, &[4]).all(13, &entries).int(14, 1))
}

fn conv(attributes: &[Message]) -> Vec<u8> {
    with_node(0, node("Conv", "x kernel bias", "a", attributes))
}

fn pool(attributes: &[Message]) -> Vec<u8> {
    let size = ints("kernel_shape", &[2, 2]);
    with_node(3, node("MaxPool", "c", "d", &[&[size], attributes].concat()))
}

/// A file of one node on 36 values in a row.
fn flat(operator: &str, inputs: &str, attributes: &[Message], tensors: Vec<Message>) -> Vec<u8> {
    Parts::flat(node(operator, inputs, "z", attributes), tensors).file()
}

/// Each file, and a part of the answer to it.
fn graphs() -> Vec<(Vec<u8>, &'static str)> {
    let whole = Parts::sound().file();
    let pads = ints("pads", &[1; 4]);
    let numbers = |x: f32| [x.to_le_bytes(); 4].concat();
    let mut cut_float = tensor("bias", &[4]);
    cut_float.0.truncate(cut_float.0.len() - 3);
    let cut = |n: usize| whole[..n].to_vec();
    let deep = (0..5000).fold(Message::default(), |inner, _| Message::default().bytes(7, inner.0));
    vec![
        // Files that are none, or were cut off.
        (b"hello".to_vec(), "not a readable ONNX file"),
        (vec![], "not a readable ONNX file: it has no graph"),
        (cut(1), "not a readable ONNX file"),
        (cut(whole.len() / 2), "not a readable ONNX file"),
        (cut(whole.len() - 1), "not a readable ONNX file"),
        (vec![0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], "not a readable ONNX file"),
        (vec![0xff; 64], "not a readable ONNX file"),
        (deep.0, "does not say which version"),
        // Groups within groups.
        (vec![0x0b; 100_000], "not a readable ONNX file"),
        // Versions, inputs and outputs.
        (changed(|parts| parts.version = None), "does not say which version"),
        (changed(|parts| parts.version = Some(9)), "its operators are of version 9, and versions 13 to 27"),
        (changed(|parts| parts.version = Some(28)), "its operators are of version 28, and versions 13 to 27"),
        (changed(|parts| parts.version = Some(i64::MAX)), "of version 9223372036854775807"),
        (changed(|parts| parts.outputs.clear()), "it has 0 outputs ()"),
        (changed(|parts| parts.outputs.push(value("c", 1, &[-1, 4]))), "it has 2 outputs (z, c): an encoder has one"),
        (changed(|parts| parts.inputs.clear()), "it has 0 inputs ()"),
        (
            changed(|parts| parts.inputs[0] = value("x", 7, &[-1, 1, 6, 6])),
            "the input x is not stated to be a tensor of float32",
        ),
        (changed(|parts| parts.inputs[0] = Message::default().bytes(1, "x")), "the input x is not stated"),
        (changed(|parts| parts.inputs[0] = value("x", 1, &[-1, 1, 7, 7])), "the input x has sizes samples x 1 x 7 x 7"),
        (changed(|parts| parts.inputs[0] = value("x", 1, &[-1, 1, i64::MAX, i64::MAX])), "the input x has sizes"),
        (changed(|parts| parts.inputs[0] = value("x", 1, &[-1, -5, 6, 6])), "the input x has sizes"),
        (changed(|parts| parts.inputs[0] = value("x", 1, &[])), "the input x is not stated"),
        (changed(|parts| parts.nodes = vec![node("Relu", "x", "y", &[]); 10_001]), "it has 10001 nodes: at most 10000"),
        (
            changed(|parts| (parts.nodes, parts.outputs) = (vec![], vec![value("x", 1, &[-1])])),
            "x can't be the latent: it has no layers",
        ),
        // The chain of nodes.
        (with_node(2, node("Relu", "nothing", "c", &[])), "node the Relu (Relu): it reads nothing, which is neither"),
        (with_node(2, node("Relu", "e", "c", &[])), "node the Relu (Relu): it reads e, which is neither"),
        (with_node(2, node("Add", "a b", "c", &[])), "node the Add (Add): it reads a, which other nodes read, too"),
        (with_node(2, node("Mul", "b b", "c", &[])), "node the Mul (Mul): it reads 2 values that depend on the sample"),
        (with_node(2, node("Relu", "bias", "c", &[])), "node the Relu (Relu): it reads 0 values"),
        (with_node(2, node("Softmax", "b", "c", &[])), "node the Softmax (Softmax): this operator can't be imported"),
        (with_node(2, node("If", "b", "c", &[])), "node the If (If): this operator can't be imported"),
        (
            with_node(2, node("Relu", "b", "c", &[]).bytes(7, "com.microsoft")),
            "node the Relu (Relu): this operator can't be imported",
        ),
        (with_node(2, node("Dropout", "b bias mean", "c", &[])), "its training_mode is given by mean"),
        (with_node(2, node("Cast", "b", "c", &[int("to", 9)])), "node the Cast (Cast): its to is 9"),
        (with_node(2, node("Elu", "b", "c", &[float("alpha", 0.5)])), "node the Elu (Elu): its alpha is 0.5"),
        (with_node(2, node("LeakyRelu", "b", "c", &[int("alpha", 1)])), "its alpha is of type 2: expected a number"),
        (
            with_node(2, node("Relu", "b", "c", &vec![int("a", 1); 65])),
            "node the Relu (Relu): its attributes can't be read: there are 65",
        ),
        (
            with_node(2, node("Relu", "b", "c", &[]).bytes(5, [0xff; 3])),
            "node the Relu (Relu): its attributes can't be read",
        ),
        (
            with_node(2, node("Constant", "", "c", &[])),
            "node the Constant (Constant): tensor c: it can't be read: it has no value",
        ),
        // Windows.
        (conv(&[pads.clone(), int("group", 2)]), "node the Conv (Conv): its group is 2"),
        (
            conv(&[pads.clone(), ints("dilations", &[2, 2])]),
            "node the Conv (Conv): its dilations is [2, 2]: expected 1",
        ),
        (conv(&[ints("pads", &[0, 0, 1, 1])]), "node the Conv (Conv): its pads is [0, 0, 1, 1]"),
        (conv(&[ints("pads", &[1, 1])]), "node the Conv (Conv): its pads is [1, 1]"),
        (conv(&[ints("pads", &[-1; 4])]), "node the Conv (Conv): its pads is [-1, -1, -1, -1]"),
        (conv(&[ints("pads", &[i64::MAX; 4])]), "node the Conv (Conv): its pads is [9223372036854775807"),
        (conv(&[ints("pads", &[60_000; 4])]), "node the Conv (Conv): "),
        (conv(&[ints("strides", &[0, 1])]), "node the Conv (Conv): its strides is [0, 1]"),
        (conv(&[ints("strides", &[2, 1])]), "node the Conv (Conv): its window is [3, 3] with strides [2, 1]"),
        (conv(&[ints("kernel_shape", &[5, 5])]), "node the Conv (Conv): its kernel_shape is [5, 5]"),
        (conv(&[text("auto_pad", "SAME")]), "node the Conv (Conv): its auto_pad is SAME"),
        (pool(&[ints("pads", &[1; 4])]), "node the MaxPool (MaxPool): its pads is [1, 1]: expected 0"),
        (pool(&[ints("strides", &[3, 3]), int("ceil_mode", 1)]), "node the MaxPool (MaxPool): its ceil_mode is 1"),
        (
            with_node(3, node("MaxPool", "c", "d", &[ints("kernel_shape", &[9, 9])])),
            "node the MaxPool (MaxPool): its window does not fit",
        ),
        (
            with_node(3, node("AveragePool", "c", "d", &[])),
            "node the AveragePool (AveragePool): its kernel_shape is [0, 0]",
        ),
        // Shapes.
        (with_node(4, node("Flatten", "d", "e", &[int("axis", 2)])), "node the Flatten (Flatten): its axis is 2"),
        (with_node(4, node("Transpose", "d", "e", &[])), "node the Transpose (Transpose): its perm is [3, 2, 1, 0]"),
        (with_node(4, node("Transpose", "d", "e", &[ints("perm", &[0, 1, 1, 2])])), "its perm is [0, 1, 1, 2]"),
        (with_node(4, node("Squeeze", "d", "e", &[ints("axes", &[-9])])), "node the Squeeze (Squeeze): its axes is -9"),
        (
            with_node(4, node("Identity", "d", "e", &[])),
            "node the Gemm (Gemm): the value without its first axis has sizes",
        ),
        (
            flat("Reshape", "x shape", &[], vec![integers("shape", &[-1, 5, 7])]),
            "node the Reshape (Reshape): the value without its first axis has sizes [36]",
        ),
        (
            flat("Reshape", "x shape", &[], vec![integers("shape", &[-1, -1])]),
            "expected sizes that can become [-1, -1]",
        ),
        (
            flat("Reshape", "x shape", &[], vec![integers("shape", &[1, i64::MAX, i64::MAX])]),
            "node the Reshape (Reshape): the value without its first axis has sizes [36]",
        ),
        (
            flat("Unsqueeze", "x axes", &[], vec![integers("axes", &[i64::MIN])]),
            "node the Unsqueeze (Unsqueeze): its axes is -9223372036854775808",
        ),
        (
            flat("ReduceMean", "x axes", &[], vec![integers("axes", &[1])]),
            "node the ReduceMean (ReduceMean): its axes is [1]",
        ),
        // Tensors.
        (
            with_tensor(0, tensor("kernel", &[4, 2, 3, 3])),
            "tensor kernel has sizes [4, 2, 3, 3]: expected filters, 1 channels",
        ),
        (with_tensor(0, tensor("kernel", &[4, 9])), "node the Conv (Conv): tensor kernel has sizes [4, 9]"),
        (with_tensor(0, tensor("colonel", &[4, 1, 3, 3])), "node the Conv (Conv): it reads kernel, which is neither"),
        (with_tensor(1, tensor("bias", &[5])), "node the Conv (Conv): tensor bias has sizes [5]: expected [4]"),
        (
            with_tensor(1, sized("bias", 1, &[4]).bytes(9, [0; 15])),
            "tensor bias: its sizes ask for 4 numbers, but the file has 3",
        ),
        (with_tensor(1, sized("bias", 1, &[4])), "tensor bias: its sizes ask for 4 numbers, but the file has 0"),
        (with_tensor(1, sized("bias", 1, &[-4])), "node the Conv (Conv): tensor bias: it has a size of -4"),
        (with_tensor(1, sized("bias", 1, &[1 << 40])), "tensor bias: its sizes ask for 1099511627776 numbers"),
        (with_tensor(1, sized("bias", 1, &[1 << 40, 1 << 40])), "tensor bias: its sizes ask for more numbers than"),
        (with_tensor(1, sized("bias", 1, &[4]).bytes(9, numbers(f32::NAN))), "tensor bias: it contains NaN"),
        (with_tensor(1, sized("bias", 1, &[4]).bytes(9, numbers(f32::INFINITY))), "tensor bias: it contains inf"),
        (with_tensor(1, sized("bias", 8, &[4]).bytes(9, [0; 16])), "tensor bias: its numbers are of type 8"),
        // Numbers in another file; `m.data` has 16 bytes.
        (elsewhere(&[]), "tensor bias: its numbers are in \"\", and only a file in the folder of the model is read"),
        (elsewhere(&[("location", "../m.data")]), "tensor bias: its numbers are in \"../m.data\", and only a file"),
        (elsewhere(&[("location", "/etc/passwd")]), "tensor bias: its numbers are in \"/etc/passwd\", and only a file"),
        (elsewhere(&[("location", "x/m.data")]), "tensor bias: its numbers are in \"x/m.data\", and only a file"),
        (elsewhere(&[("location", "..")]), "tensor bias: its numbers are in \"..\", and only a file"),
        (
            elsewhere(&[("location", "none.data")]),
            "tensor bias: its numbers are in none.data, which can't be read: copy",
        ),
        (elsewhere(&[("location", "m.data"), ("offset", "4")]), "its sizes ask for 4 numbers, but the file has 3"),
        (
            elsewhere(&[("location", "m.data"), ("offset", "40")]),
            "its numbers are 0 bytes at 40 of m.data, which has 16",
        ),
        (
            elsewhere(&[("location", "m.data"), ("offset", "8"), ("length", "16")]),
            "its numbers are 16 bytes at 8 of m.data, which has 16",
        ),
        (
            elsewhere(&[("location", "m.data"), ("offset", "8"), ("length", "18446744073709551615")]),
            "its numbers are 18446744073709551615 bytes at 8 of m.data",
        ),
        (
            elsewhere(&[("location", "m.data"), ("offset", "-1")]),
            "tensor bias: where its numbers are can't be read (offset is",
        ),
        (
            elsewhere(&[("location", "m.data"); 9]),
            "tensor bias: where its numbers are can't be read (it has 9 entries)",
        ),
        (with_tensor(1, cut_float), "not a readable ONNX file"),
        (
            with_tensor(5, sized("variance", 1, &[4]).bytes(9, numbers(-2.0))),
            "node the BatchNormalization (BatchNormalization): its weights, or factors that are folded into them, are NaN",
        ),
        (
            with_tensor(6, tensor("weight", &[36, 3])),
            "node the Gemm (Gemm): tensor weight has sizes [36, 3]: expected a matrix",
        ),
        (with_tensor(6, tensor("weight", &[0, 36])), "node the Gemm (Gemm): tensor weight has sizes [0, 36]"),
        (with_tensor(7, tensor("last", &[2])), "node the Gemm (Gemm): tensor last has sizes [2]: expected 3"),
        (
            flat("MatMul", "x w", &[], vec![sized("w", 1, &[36, 1 << 50])]),
            "node the MatMul (MatMul): tensor w: its sizes ask for 40532396646334464 numbers",
        ),
        (
            flat("MatMul", "w x", &[], vec![tensor("w", &[36, 36])]),
            "node the MatMul (MatMul): the value that depends on the sample is its input 1",
        ),
        (
            flat("Gemm", "x w", &[int("transA", 1)], vec![tensor("w", &[36, 2])]),
            "node the Gemm (Gemm): its transA is 1",
        ),
        (flat("Gemm", "x", &[], vec![]), "node the Gemm (Gemm): it has 1 inputs: expected 2 or 3"),
        (flat("Add", "x w", &[], vec![tensor("w", &[2, 36])]), "node the Add (Add): tensor w has sizes [2, 36]"),
        (flat("Add", "x w", &[], vec![tensor("w", &[35])]), "node the Add (Add): tensor w has sizes [35]"),
        (
            flat("Div", "w x", &[], vec![tensor("w", &[36])]),
            "node the Div (Div): the value that depends on the sample is its input 1",
        ),
        (
            flat("Div", "x w", &[], vec![sized("w", 1, &[1]).bytes(9, [0; 4])]),
            "node the Div (Div): its weights, or factors that are folded into them, are NaN or infinite",
        ),
    ]
}

#[test]
fn each_graph_is_answered_with_the_node_or_tensor() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.onnx");
    assert_eq!(answer(&path, &Parts::sound().file(), &images(1)), Ok(3));
    fs::write(folder.path().join("m.data"), [0; 16]).unwrap();
    assert_eq!(answer(&path, &elsewhere(&[("location", "m.data")]), &images(1)), Ok(3));
    assert_eq!(answer(&path, &changed(|parts| parts.version = Some(27)), &images(1)), Ok(3));
    // A copy of a constant, as the older exporter of PyTorch writes equal ones.
    let copied = |of: &str| {
        changed(|parts| {
            parts.nodes[0] = node("Conv", "x kernel copy", "a", &[ints("pads", &[1; 4])]);
            parts.nodes.insert(0, node("Identity", of, "copy", &[]));
        })
    };
    assert_eq!(answer(&path, &copied("bias"), &images(1)), Ok(3));
    let refused = answer(&path, &copied("none"), &images(1)).unwrap_err();
    assert!(refused.contains("node the Identity (Identity): it reads none, which is neither"), "{refused}");
    let graphs = graphs();
    println!("{} files", graphs.len());
    assert!(graphs.len() >= 60);
    let others = graphs.iter().enumerate().filter_map(|(index, (bytes, expected))| {
        let found = answer(&path, bytes, &images(1)).map_or_else(|error| error, |dims| format!("{dims} dimensions"));
        (!found.contains(expected)).then(|| format!("file {index}: expected `{expected}`, found `{found}`"))
    });
    let others: Vec<String> = others.collect();
    assert!(others.is_empty(), "{}", others.join("\n"));
    // A file that is too large is not read at all: it has no bytes on the disk.
    fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    let error = read_onnx(&path, &images(1), None).unwrap_err().to_string();
    assert!(error.contains("it has 1099511627776 bytes: a model is read up to 33554432 bytes"), "{error}");
}

/// Layers without end, which a file can have by naming one tensor again and again.
#[test]
fn more_layers_than_a_model_file_has_are_refused_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.onnx");
    let nodes = (0..5000).flat_map(|i| {
        let (input, output) = (if i == 0 { "x".into() } else { format!("b{}", i - 1) }, format!("b{i}"));
        [node("MatMul", &format!("{input} w"), &format!("a{i}"), &[]), node("Relu", &format!("a{i}"), &output, &[])]
    });
    let mut parts = Parts::flat(Message::default(), vec![tensor("w", &[36, 36])]);
    (parts.nodes, parts.outputs) = (nodes.collect(), vec![value("b4999", 1, &[-1, 36])]);
    let error = answer(&path, &parts.file(), &images(1)).unwrap_err();
    assert!(error.contains("node the MatMul (MatMul): with it there are more than 16 layers"), "{error}");
}

/// A file that was changed anywhere is refused, or read as another encoder.
#[test]
fn no_graph_makes_the_reader_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.onnx");
    let random = &mut stream(0, "graphs", 0);
    let whole = Parts::sound().file();
    let mut read = 0;
    for _ in 0..3000 {
        let mut bytes = whole.clone();
        for _ in 0..random.random_range(1..4) {
            let at = random.random_range(0..bytes.len());
            match random.random_range(0..4) {
                0 => bytes.truncate(at.max(1)),
                1 => _ = bytes.remove(at),
                2 => bytes[at] = random.random(),
                _ => bytes[at] ^= 1 << random.random_range(0..8),
            }
        }
        read += usize::from(answer(&path, &bytes, &images(1)).is_ok());
    }
    assert!((1..2500).contains(&read), "{read}");
}

/// The tensors of a state dict: their names, types, sizes and bytes.
type Tensors = Vec<(String, Dtype, Vec<usize>, Vec<u8>)>;

fn add(tensors: &mut Tensors, name: &str, sizes: &[usize], value: impl Fn(usize) -> f32) {
    let bytes = (0..sizes.iter().product()).flat_map(|i| value(i).to_le_bytes()).collect();
    tensors.push((name.into(), Dtype::F32, sizes.to_vec(), bytes));
}

fn small(i: usize) -> f32 {
    (i * 5 % 13) as f32 / 10.0 - 0.6
}

/// Two channels, a convolution with batch normalisation, and a latent, beside a decoder.
fn state_dict() -> Tensors {
    let mut tensors = vec![];
    add(&mut tensors, "encoder.0.weight", &[3, 2, 3, 3], small);
    add(&mut tensors, "encoder.0.bias", &[3], small);
    for (name, value) in [("weight", 2.0), ("bias", 0.5), ("running_mean", -0.25), ("running_var", 4.0)] {
        add(&mut tensors, &format!("encoder.1.{name}"), &[3], |i| value + 0.1 * i as f32);
    }
    tensors.push(("encoder.1.num_batches_tracked".into(), Dtype::I64, vec![], vec![0; 8]));
    add(&mut tensors, "encoder.10.weight", &[2, 27], small);
    add(&mut tensors, "encoder.10.bias", &[2], small);
    add(&mut tensors, "decoder.0.weight", &[27, 2], small);
    tensors
}

fn write(path: &Path, tensors: &Tensors) {
    let view = |(name, kind, sizes, bytes)| (name, TensorView::new(kind, sizes, bytes).unwrap());
    let views = tensors.iter().map(|(name, kind, sizes, bytes)| view((name.clone(), *kind, sizes.clone(), &**bytes)));
    fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

fn layers(spelling: &str) -> StateDictLayers {
    StateDictLayers { architecture: spelling.parse().unwrap(), activation: Activation::Relu, prefix: "encoder.".into() }
}

/// What PyTorch computes with the state dict: channels first, and rounded nowhere.
fn by_definition(image: &[f32]) -> Vec<f64> {
    let at = |i: usize| f64::from(small(i));
    let mut pooled = vec![];
    for filter in 0..3 {
        let f = filter as f64;
        let output = |row: usize, column: usize| {
            let mut sum = at(filter);
            for (channel, dy, dx) in (0..18).map(|i| (i / 9, i / 3 % 3, i % 3)) {
                let (y, x) = ((row + dy).wrapping_sub(1), (column + dx).wrapping_sub(1));
                if y < 6 && x < 6 {
                    let weight = at(((filter * 2 + channel) * 3 + dy) * 3 + dx);
                    sum += weight * f64::from(image[(y * 6 + x) * 2 + channel]);
                }
            }
            let normalised = (sum - (-0.25 + 0.1 * f)) / (4.0 + 0.1 * f + 1e-5).sqrt();
            (normalised * (2.0 + 0.1 * f) + 0.5 + 0.1 * f).max(0.0)
        };
        for (row, column) in (0..9).map(|i| (2 * (i / 3), 2 * (i % 3))) {
            let corners = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(dy, dx)| output(row + dy, column + dx));
            pooled.push(corners.into_iter().fold(f64::MIN, f64::max));
        }
    }
    (0..2).map(|z| at(z) + pooled.iter().enumerate().map(|(i, x)| at(z * 27 + i) * x).sum::<f64>()).collect()
}

#[test]
fn a_state_dict_with_its_layers_computes_what_pytorch_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    write(&path, &state_dict());
    let samples = images(2);
    let encoder = read_state_dict(&path, &samples, &layers("conv:3k3p1,max2,2")).unwrap();
    let values = samples.all().unwrap();
    let found = encoder.encode(&values);
    let expected: Vec<f64> = values.chunks(72).flat_map(by_definition).collect();
    assert_eq!(found.len(), 4);
    for (found, expected) in found.iter().zip(&expected) {
        assert!((f64::from(*found) - expected).abs() < 1e-4 * expected.abs().max(1.0), "{found} {expected}");
    }
}

#[test]
fn each_state_dict_is_answered_with_the_tensor() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    let read = |layers: &StateDictLayers| {
        read_state_dict(&path, &images(2), layers).map(|encoder| encoder.n_dims()).map_err(|error| error.to_string())
    };
    let usual = layers("conv:3k3p1,max2,2");
    for (name, replacement, expected) in [
        ("encoder.0.weight", None, "the tensor encoder.0.weight is missing"),
        ("encoder.1.running_mean", None, "the tensor encoder.1.running_mean is missing"),
        (
            "encoder.1.running_var",
            None,
            "the tensor encoder.1.weight has sizes [3], but its layer of --encoder needs [2, 27]",
        ),
        ("encoder.10.weight", Some(("encoder.10.weight", Dtype::F32, vec![27, 2])), "has sizes [27, 2], but its layer"),
        (
            "encoder.10.weight",
            Some(("encoder.10.kernel", Dtype::F32, vec![2, 27])),
            "the tensor encoder.10.weight is missing",
        ),
        (
            "encoder.10.bias",
            Some(("encoder.10.bias", Dtype::F32, vec![3])),
            "tensor encoder.10.bias has sizes [3]: expected 2",
        ),
        (
            "encoder.10.bias",
            Some(("encoder.10.extra", Dtype::F32, vec![2])),
            "the tensor encoder.10.extra is none of a fully",
        ),
        (
            "encoder.10.bias",
            Some(("encoder.10.bias", Dtype::I32, vec![2])),
            "the tensor encoder.10.bias has numbers of type I32",
        ),
        (
            "encoder.0.bias",
            Some(("encoder.11.weight", Dtype::F32, vec![9])),
            "no layer of --encoder is left for encoder.11",
        ),
    ] {
        let mut tensors = state_dict();
        tensors.retain(|(own, ..)| own != name);
        if let Some((name, kind, sizes)) = replacement {
            let bytes = vec![0; 4 * sizes.iter().product::<usize>()];
            tensors.push((name.into(), kind, sizes, bytes));
        }
        write(&path, &tensors);
        let error = read(&usual).unwrap_err();
        assert!(error.contains(expected), "{name}: {error}");
    }
    let mut tensors = state_dict();
    tensors[0].3[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    write(&path, &tensors);
    assert!(read(&usual).unwrap_err().contains("node encoder.0 (Conv): tensor encoder.0.weight: it contains NaN"));

    // Other layers, and prefixes.
    write(&path, &state_dict());
    for (layers, expected) in [
        (
            layers("conv:3k3p1,2"),
            "the tensor encoder.10.weight has sizes [2, 27], but its layer of --encoder needs [2, 108]",
        ),
        (
            layers("conv:3k3p1,max2,8,2"),
            "the tensor encoder.10.weight has sizes [2, 27], but its layer of --encoder needs [8, 27]",
        ),
        (layers("conv:3k3p1,max2,2,2"), "layer 3 of --encoder has no module"),
        (layers("2"), "the tensor encoder.0.weight has sizes [3, 2, 3, 3], but its layer of --encoder needs [2, 72]"),
        (layers("none"), "no layers are given"),
        (layers("conv1d:3k3,2"), "need windows of a recording"),
        (StateDictLayers { prefix: "enc2".into(), ..usual.clone() }, "no tensor's name begins with `enc2`"),
        (StateDictLayers { prefix: String::new(), ..usual.clone() }, "the tensor decoder.0.weight has sizes [27, 2]"),
    ] {
        let error = read(&layers).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }

    // Files that are none.
    let whole = fs::read(&path).unwrap();
    let header = |length: u64| [&length.to_le_bytes()[..], b"{}"].concat();
    for bytes in
        [&b""[..], b"hello", &whole[..9], &whole[..whole.len() - 1], &header(u64::MAX), &header(1 << 30), &header(3)]
    {
        fs::write(&path, bytes).unwrap();
        let error = read(&usual).unwrap_err();
        assert!(error.contains("m.safetensors: not a readable safetensors file: "), "{error}");
    }
    let random = &mut stream(0, "dicts", 0);
    for _ in 0..1000 {
        let mut bytes = whole.clone();
        let at = random.random_range(0..bytes.len().min(1200));
        bytes[at] ^= 1 << random.random_range(0..8);
        fs::write(&path, bytes).unwrap();
        let _ = read(&usual);
    }
}
