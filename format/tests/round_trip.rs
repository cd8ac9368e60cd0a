//! What is written is what is read.

mod common;

use edgemix_format::description::{self, ActivationRecord, DenseRecord, Description, FrontEndRecord, LayerRecord};
use edgemix_format::header::{HEADER_LEN, is_model};
use edgemix_format::testing::{Convolution, Follow, HeadSpec, ImageLayer, Spec};
use edgemix_format::view::{Activation, Autoencoders, Calibration, Dense, FrontEnd, Head, Layer, front_end_macs};
use edgemix_format::write::{AlignedBytes, WriteError, write};
use edgemix_format::{Fault, File, LoadError, arena_len, input_len, latent_len, macs, n_clusters, n_components, plan};
use proptest::prelude::*;

/// The view says what the description says; tensors are compared by length, the bytes by writing again.
fn same(description: &Description, file: &File, bytes: &[u8]) {
    assert_eq!((file.name, file.method), (description.name, description.method));
    assert_eq!(file.fingerprint, description.fingerprint);
    assert_eq!(file.latent, description.latent);
    assert_eq!(file.sample.len, description.sample.len as usize);
    for channels in [file.sample.origin.len(), file.sample.count.len()] {
        assert_eq!(channels, description.sample.channels as usize);
    }
    assert_eq!(file.input.len, description.input.len as usize);
    assert_eq!(file.input.zero_point, description.input.zero_point);
    for channels in [file.input.center.len(), file.input.multiplier.len(), file.input.shift.len()] {
        assert_eq!(channels, description.input.channels as usize);
    }
    assert_eq!(file.front_ends.len(), description.front_ends.len());
    for front_ends in file.front_ends.iter().zip(&description.front_ends) {
        match front_ends {
            (FrontEnd::Spectrum(view), FrontEndRecord::Spectrum(record)) => {
                assert_eq!(view.inputs(), (record.instants * u32::from(record.channels)) as usize);
                assert_eq!((view.statistics, view.pooling), (record.statistics, record.pooling));
                let tensors = [view.signals.len(), view.taper.len(), view.edges.len()];
                assert_eq!(tensors, [record.signals.len, record.taper.len, record.edges.len].map(|len| len as usize));
            }
            (FrontEnd::Filter(view), FrontEndRecord::Filter(record)) => {
                assert_eq!(view.inputs(), (record.instants * u32::from(record.channels)) as usize);
                assert_eq!(
                    (view.factor, 5 * view.sections.len()),
                    (record.factor.into(), record.sections.len as usize)
                );
            }
            front_ends => panic!("{front_ends:?}"),
        }
    }
    assert_eq!(file.encoder.len(), description.encoder.len());
    for (view, layer) in file.encoder.iter().zip(&description.encoder) {
        match (view, layer) {
            (Layer::Dense(view), LayerRecord::Dense(record)) => same_rows(view, record),
            (Layer::Conv2d(view), LayerRecord::Conv2d(record)) => {
                assert_eq!((view.window, view.padding_value), (record.window, record.padding_value));
                assert_eq!(view.filters.inputs, view.window.taps());
                same_rows(&view.filters, &record.filters);
            }
            (Layer::Pool2d(view), LayerRecord::Pool2d(record)) => assert_eq!(view, record),
            layers => panic!("{layers:?}"),
        }
    }
    match (&file.head, &description.head) {
        (Head::Mixture(view), description::HeadRecord::Mixture(mixture)) => {
            assert_eq!(view.covariance, mixture.covariance);
            assert_eq!(view.constants.len(), usize::from(mixture.n_components));
        }
        (Head::Softmax(view), description::HeadRecord::Softmax(softmax)) => {
            assert_eq!(view.offsets.len(), usize::from(softmax.n_classes));
        }
        (Head::Autoencoders(view), description::HeadRecord::Autoencoders(pairs)) => {
            assert_eq!((view.latent, view.constants.len()), (pairs.latent.into(), pairs.n_members.into()));
            assert_eq!((view.inputs, view.error.shift.len()), (file.input.len, view.constants.len()));
            assert_eq!(view.mean_penalty.is_some(), pairs.mean_penalty.len > 0);
            assert_eq!(view.variance_penalty.is_some(), pairs.variance_penalty.len > 0);
            same_pairs(view, pairs, bytes);
        }
        heads => panic!("{heads:?}"),
    }
    match (file.calibration, description.calibration) {
        (Calibration::None, description::CalibrationRecord::None) => {}
        (Calibration::Marginal { levels, .. }, description::CalibrationRecord::Marginal(table)) => {
            assert_eq!(levels.len(), usize::from(table.len));
        }
        (Calibration::HeldOut(view), description::CalibrationRecord::HeldOut(tables)) => {
            assert_eq!((view.ends.len(), view.samples.len()), (tables.n_tables.into(), tables.n_tables.into()));
            assert_eq!((view.levels.len(), view.thresholds.len()), (tables.len.into(), tables.len.into()));
            assert_eq!(view.inverse_temperature.to_bits(), tables.inverse_temperature.to_bits());
            assert_eq!(file.calibration.margin_weight(), tables.margin_weight);
            // The tables lie one after the other, and each cluster's is one of them.
            let all: Vec<u16> = (0..tables.n_tables).flat_map(|table| view.table(table).1).copied().collect();
            assert_eq!(all, view.levels);
            for (cluster, &table) in (0u16..).zip(view.tables) {
                assert_eq!(file.calibration.table(cluster), view.table(table));
            }
            assert_eq!(view.tables.len(), usize::from(file.header.n_clusters));
            for none in [tables.n_tables, u16::MAX] {
                assert_eq!(view.table(none), Default::default());
            }
        }
        calibrations => panic!("{calibrations:?}"),
    }
    same_levels(description, file);
    assert_eq!(
        (file.transitions.is_some(), file.header.minor),
        (description.transitions.is_some(), description.transitions.is_some().into())
    );
    if let (Some(view), Some(record)) = (file.transitions, description.transitions) {
        let tensors = [view.renewals.len(), view.shares.len()];
        assert_eq!(tensors, [record.renewals.len, record.shares.len].map(|len| len as usize));
        assert_eq!(tensors, [usize::from(file.header.n_clusters); 2]);
    }
}

/// Every cluster of every level has the parent that lies in the blob for it, and all of a level's clusters are parents.
fn same_levels(description: &Description, file: &File) {
    let (hierarchy, mut parents) = (&file.hierarchy, file.hierarchy.parents());
    assert_eq!(hierarchy.levels(), &description.hierarchy.levels[..]);
    assert_eq!(hierarchy.flash(), 2 * description.hierarchy.parents.len as usize);
    let mut found: Vec<u16> = (0..file.header.n_clusters).collect();
    for &level in hierarchy.levels() {
        let below = found.iter().max().map_or(0, |&most| usize::from(most) + 1);
        found.iter_mut().for_each(|cluster| *cluster = parents[usize::from(*cluster)]);
        parents = &parents[below..];
        let ancestors = (0..file.header.n_clusters).map(|cluster| hierarchy.ancestor(cluster, level));
        assert!(ancestors.eq(found.iter().map(|&cluster| Some(cluster))));
        assert!((0..level).all(|cluster| found.contains(&cluster)) && found.iter().all(|&cluster| cluster < level));
    }
    assert!(parents.is_empty());
    let n_clusters = file.header.n_clusters;
    let has = |level| level == n_clusters || hierarchy.levels().contains(&level);
    for level in (0..12).chain([u16::MAX]) {
        assert_eq!(hierarchy.ancestor(0, level).is_some(), has(level), "{level}");
        assert_eq!(hierarchy.ancestor(n_clusters, level), None);
    }
}

fn same_rows(view: &Dense, record: &DenseRecord) {
    let (inputs, outputs) = (record.inputs as usize, record.outputs as usize);
    assert_eq!((view.inputs, view.bias.len(), view.weights.len()), (inputs, outputs, inputs * outputs));
    assert_eq!(view.output, record.output);
    let same = matches!(
        (view.activation, record.activation),
        (Activation::Identity, ActivationRecord::Identity)
            | (Activation::Relu, ActivationRecord::Relu)
            | (Activation::LeakyRelu(_), ActivationRecord::LeakyRelu(_))
            | (Activation::Table(_), ActivationRecord::Table(_))
            | (Activation::Interpolated(_), ActivationRecord::Interpolated(_))
    );
    assert!(same, "{view:?} is not {record:?}");
}

/// Every pair's layers have the described shapes, and weights that lie where its stride says.
fn same_pairs(view: &Autoencoders, pairs: &description::AutoencodersRecord, bytes: &[u8]) {
    let blob = File::from_bytes(bytes).unwrap().header.blob_offset as usize;
    for pair in 0..view.constants.len() {
        let networks = [(view.encoder(pair), &pairs.encoder), (view.decoder(pair), &pairs.decoder)];
        for (layers, described) in networks {
            assert_eq!(layers.clone().count(), described.len());
            for (layer, described) in layers.zip(described) {
                let (Layer::Dense(view), LayerRecord::Dense(dense)) = (layer, described) else {
                    panic!("{described:?}")
                };
                assert_eq!((layer.inputs(), layer.outputs()), (dense.inputs as usize, dense.outputs as usize));
                let start = blob + dense.weights.offset as usize + pair * pairs.stride as usize;
                let weights: Vec<u8> = view.weights.iter().map(|&w| w as u8).collect();
                assert_eq!(weights, bytes[start..start + weights.len()], "pair {pair}");
            }
        }
    }
    assert_eq!(view.encoder(usize::MAX).count(), 0, "no such pair");
}

proptest! {
    #[test]
    fn generated_models_are_read_as_they_were_written(spec in common::spec()) {
        let (description, blob) = spec.parts();
        let bytes = write(&description, &blob).unwrap();
        let file = File::from_bytes(&bytes).unwrap();
        same(&description, &file, &bytes);

        let encoded = &bytes[HEADER_LEN..HEADER_LEN + file.header.description_len as usize];
        // A file of minor version 0 ends where the transitions would say that there are none.
        let encoded = if file.header.minor == 0 { [encoded, &[0]].concat() } else { encoded.to_vec() };
        prop_assert_eq!(&postcard::from_bytes::<Description>(&encoded).unwrap(), &description);
        prop_assert_eq!(&write(&description, &blob).unwrap(), &bytes, "a writer that is not deterministic");
    }

    #[test]
    fn const_functions_agree_with_the_view(spec in common::spec()) {
        let bytes = spec.build().unwrap();
        let file = File::from_bytes(&bytes).unwrap();
        let clusters = if matches!(spec.head, HeadSpec::Mixture(_)) { spec.clusters } else { spec.components };
        let memory = file.encoder.iter().map(Layer::memory);
        let planned = plan::arena_len(file.input.len, memory, file.head.n_components(), file.head.scratch());
        prop_assert!(is_model(&bytes));
        let of_front_end = plan::front_ends(file.front_ends.iter().map(FrontEnd::memory));
        prop_assert_eq!(Some(arena_len(&bytes)), planned.max(of_front_end));
        let layers: u64 = file.encoder.iter().map(Layer::macs).sum();
        let front_ends = front_end_macs(&file.front_ends);
        prop_assert_eq!(macs(&bytes), front_ends + file.input.len as u64 + layers + file.head.macs());
        prop_assert_eq!(input_len(&bytes), file.sample.len);
        prop_assert_eq!(latent_len(&bytes), usize::from(file.latent.len));
        prop_assert_eq!(n_components(&bytes), file.head.n_components());
        prop_assert_eq!(n_clusters(&bytes), usize::from(clusters));
        prop_assert_eq!(file.head.n_clusters(), usize::from(clusters));
    }

    #[test]
    fn a_longer_buffer_holds_the_same_model(spec in common::spec(), tail in prop::collection::vec(any::<u8>(), 1..100)) {
        let bytes = spec.build().unwrap();
        let longer = AlignedBytes::from(&[&bytes[..], &tail[..]].concat()[..]);
        let (file, again) = (File::from_bytes(&bytes).unwrap(), File::from_bytes(&longer).unwrap());
        prop_assert_eq!(format!("{file:?}"), format!("{again:?}"));
    }
}

/// Counts places one by one.
#[test]
fn a_convolution_has_the_places_that_its_kernel_fits() {
    let along = |extent: u16, kernel: u8, stride: u8, [before, after]: [u8; 2]| {
        let ends = |start: i32| start + i32::from(kernel) <= i32::from(extent) + i32::from(after);
        (-i32::from(before)..).step_by(stride.into()).take_while(|&start| ends(start)).count()
    };
    let mut n_read = 0;
    for (height, kernel, stride, above, below) in (1..6)
        .flat_map(|h| (1..5).flat_map(move |k| (1..4).map(move |s| (h, k, s))))
        .flat_map(|(h, k, s)| (0..=k).flat_map(move |above| (0..=k).map(move |below| (h, k, s, above, below))))
    {
        let shape = Convolution {
            filters: 2,
            kernel: [kernel, 2],
            stride: [stride, 2],
            padding: [above, 1, below, 0],
            follow: Follow::Identity,
        };
        let image = [height, 7, 3];
        let spec = Spec {
            input: usize::from(height) * 21,
            image,
            image_layers: vec![ImageLayer::Convolution(shape)],
            layers: vec![],
            ..Spec::default()
        };
        let places = along(height, kernel, stride, [above, below]);
        if above >= kernel || below >= kernel || places == 0 {
            assert_eq!(spec.build(), Err(WriteError::Refused(LoadError::Layer { index: 0, fault: Fault::Window })));
            continue;
        }
        let bytes = spec.build().unwrap();
        let file = File::from_bytes(&bytes).unwrap();
        let Some(Layer::Conv2d(layer)) = file.encoder.first() else { panic!("{:?}", file.encoder) };
        assert_eq!((layer.window.rows(), layer.window.columns()), (places, along(7, 2, 2, [1, 0])));
        assert_eq!(file.encoder[0].outputs(), places * 4 * 2);
        assert_eq!(file.encoder[0].macs(), (places * 4 * 2 * usize::from(kernel) * 2 * 3) as u64);
        n_read += 1;
    }
    assert!(n_read > 100);
}

/// A golden file, aligned for reading in place is not needed here: only its header is read, while this is compiled.
static GOLDEN: &[u8] = include_bytes!("golden/full.emx");
const ARENA: usize = arena_len(GOLDEN);
const MACS: u64 = macs(GOLDEN);
const COUNTS: [usize; 4] = [input_len(GOLDEN), latent_len(GOLDEN), n_components(GOLDEN), n_clusters(GOLDEN)];
const _: () = assert!(is_model(GOLDEN));

#[test]
fn const_functions_work_in_const_context() {
    let bytes = AlignedBytes::from(GOLDEN);
    let file = File::from_bytes(&bytes).unwrap();
    assert_eq!((ARENA, MACS), (file.header.arena_len as usize, file.header.macs));
    let header = &file.header;
    let counts = [header.latent_len, header.n_components, header.n_clusters].map(usize::from);
    assert_eq!(COUNTS[0], file.sample.len);
    assert_eq!(COUNTS[1..], counts);
}

#[test]
fn what_is_no_model_has_no_lengths() {
    for bytes in [&b""[..], b"EMIX", &[0; 100][..], &GOLDEN[..63]] {
        assert!(!is_model(bytes));
        assert_eq!((arena_len(bytes), macs(bytes)), (0, 0));
        assert_eq!(input_len(bytes) + latent_len(bytes) + n_components(bytes) + n_clusters(bytes), 0);
    }
}

#[test]
fn the_largest_number_of_layers_is_read_and_one_width_of_everything_too() {
    let layers = vec![(1, Follow::LeakyRelu); edgemix_format::view::MAX_LAYERS];
    let spec = Spec { input: 1, channels: 1, layers, components: 1, clusters: 1, calibration: 1, ..Spec::default() };
    let bytes = spec.build().unwrap();
    assert_eq!(File::from_bytes(&bytes).unwrap().encoder.len(), 16);
}

#[test]
fn the_writer_refuses_what_a_reader_would() {
    let spec = Spec { layers: vec![(4, Follow::Table)], ..Spec::default() };
    let refused = LoadError::Layer { index: 0, fault: Fault::TableInLastLayer };
    assert_eq!(spec.build(), Err(WriteError::Refused(refused)));
}
