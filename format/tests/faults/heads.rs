//! Faults of heads and of their calibration.

use super::*;

#[test]
fn mixtures() {
    let spec = spec();
    let head = |fault| LoadError::Head(fault);
    assert_eq!(described(&spec, |d| mixture(d).n_components = 0), head(Fault::Size));
    assert_eq!(described(&spec, |d| mixture(d).n_components = 6), head(Fault::TensorLength));
    assert_eq!(described(&spec, |d| mixture(d).constants.offset |= 1), head(Fault::TensorAlignment));
    assert_eq!(described(&spec, |d| mixture(d).n_clusters = 0), head(Fault::UnknownCluster));
    assert_eq!(described(&spec, |d| mixture(d).n_clusters = 4), head(Fault::EmptyCluster));
    assert_eq!(element(&spec, |d| mixture_of(d).clusters, 4, 3u16), head(Fault::UnknownCluster));
    for shift in [4u8, 41] {
        assert_eq!(element(&spec, |d| mixture_of(d).shifts, 14, shift), head(Fault::Shift));
    }
    for covariance in [Covariance::Spherical, Covariance::Diagonal] {
        let spec = with_head(HeadSpec::Mixture(covariance));
        assert_eq!(element(&spec, |d| mixture_of(d).offsets, 14, 1 << 30), head(Fault::Bias));
        for shift in [4u8, 32] {
            assert_eq!(element(&spec, |d| mixture_of(d).shifts, 4, shift), head(Fault::Shift));
        }
    }
}

#[test]
fn levels() {
    // Five clusters, then three, then two.
    let spec = Spec { clusters: 5, levels: vec![3, 2], ..spec() };
    let fault = |fault| LoadError::Hierarchy(fault);
    let with = |levels: &[u16]| {
        let levels = levels.iter().copied().collect();
        described(&spec, |d| d.hierarchy.levels = levels)
    };
    assert!(spec.build().is_ok());
    for levels in [&[3, 3][..], &[2, 3], &[5, 2], &[6, 2], &[3, 0], &[0], &[u16::MAX]] {
        assert_eq!(with(levels), fault(Fault::LevelOrder), "{levels:?}");
    }
    for levels in [&[3][..], &[4, 2], &[3, 2, 1], &[]] {
        assert_eq!(with(levels), fault(Fault::TensorLength), "{levels:?}");
    }
    assert_eq!(described(&spec, |d| d.hierarchy.parents.offset += 2), fault(Fault::TensorAlignment));
    assert_eq!(described(&spec, |d| d.hierarchy.parents.offset = 1 << 30), fault(Fault::TensorOutside));
    let parents = |d: &Description| d.hierarchy.parents;
    for (index, parent) in [(0, 3u16), (4, u16::MAX), (5, 2), (7, 3)] {
        assert_eq!(element(&spec, parents, index, parent), fault(Fault::UnknownParent));
    }
    // Generated parents: the first clusters have the parents 0, 1 and so on.
    let childless = Spec { clusters: 3, levels: vec![2], ..spec.clone() };
    let all_of = |value: u16| {
        let bytes = edited(&childless, parents, usize::from(value == 0), value);
        // The third cluster's parent may be either.
        let third = edited(&Spec { levels: vec![2], clusters: 3, ..childless.clone() }, parents, 2, value);
        File::from_bytes(&third).map(drop).unwrap();
        bytes
    };
    let refused = [0, 1].map(|value| File::from_bytes(&all_of(value)).err());
    assert!(refused.contains(&Some(fault(Fault::Childless))), "{refused:?}");
}

#[test]
fn transitions() {
    let spec = Spec { transitions: true, ..spec() };
    let fault = |fault| LoadError::Transitions(fault);
    let record = |d: &Description| d.transitions.unwrap();
    let with = |alter: fn(&mut TransitionsRecord)| described(&spec, |d| alter(d.transitions.as_mut().unwrap()));
    assert_eq!(with(|t| t.renewals.len = 2), fault(Fault::TensorLength));
    assert_eq!(with(|t| t.shares.len = 4), fault(Fault::TensorLength));
    assert_eq!(with(|t| t.renewals.offset += 2), fault(Fault::TensorAlignment));
    assert_eq!(with(|t| t.shares.offset = 1 << 30), fault(Fault::TensorOutside));
    assert_eq!(element(&spec, |d| record(d).shares, 1, 0u16), fault(Fault::Shares));
    // Together they are 1 at most, whatever the others are.
    let shares = [20000, 30000, 15536];
    let with = |shares: [u16; 3]| {
        let (description, blob) = spec.parts();
        let mut bytes = write(&description, &blob).unwrap();
        let start =
            File::from_bytes(&bytes).unwrap().header.blob_offset as usize + record(&description).shares.offset as usize;
        for (place, share) in bytes.as_mut()[start..].chunks_mut(2).zip(shares) {
            place.copy_from_slice(&share.to_le_bytes());
        }
        mend(bytes.as_mut());
        File::from_bytes(&bytes).err()
    };
    assert_eq!(with(shares), None);
    assert_eq!(with([shares[0] + 1, shares[1], shares[2]]), Some(fault(Fault::Shares)));
    assert_eq!(with([u16::MAX; 3]), Some(fault(Fault::Shares)));
    // The number of the variant is the first byte after the levels, of which there are none.
    let bytes = spec.build().unwrap();
    let end = HEADER_LEN + File::from_bytes(&bytes).unwrap().header.description_len as usize;
    let tensors = record(&spec.parts().0);
    let encoded = postcard::to_allocvec(&tensors).unwrap();
    let place = end - encoded.len() - 1;
    assert_eq!(bytes[place], 1);
    for (n, expected) in [(2, Fault::UnknownVariant), (127, Fault::UnknownVariant)] {
        let mut bytes = bytes.clone();
        bytes.as_mut()[place] = n;
        mend(bytes.as_mut());
        assert_eq!(load(&bytes), fault(expected));
    }
    // A file of minor version 0 has none.
    let mut older = bytes.clone();
    older.as_mut()[6] = 0;
    mend(older.as_mut());
    assert_eq!(load(&older), LoadError::TrailingBytes);
}

/// More levels than a model may have, which a description can't hold: the first byte after the calibration says so.
#[test]
fn too_many_levels() {
    let bytes = Spec { clusters: 5, levels: vec![4, 3, 2, 1], ..spec() }.build().unwrap();
    let header = File::from_bytes(&bytes).unwrap().header;
    let end = HEADER_LEN + header.description_len as usize;
    let place = (HEADER_LEN..end).rev().find(|&at| bytes[at..end].starts_with(&[4, 4, 3, 2, 1])).unwrap();
    let with = |n: u8| {
        let mut bytes = bytes.clone();
        bytes.as_mut()[place] = n;
        mend(bytes.as_mut());
        load(&bytes)
    };
    for n in [9, 100, 127] {
        assert_eq!(with(n), LoadError::Hierarchy(Fault::LevelCount));
    }
    assert_eq!(with(5), LoadError::Hierarchy(Fault::LevelOrder));
}

#[test]
fn softmaxes() {
    let spec = with_head(HeadSpec::Softmax);
    let softmax = |d: &Description| match &d.head {
        HeadRecord::Softmax(softmax) => *softmax,
        other => panic!("{other:?}"),
    };
    for shift in [0u8, 41] {
        assert_eq!(element(&spec, |d| softmax(d).shifts, 0, shift), LoadError::Head(Fault::Shift));
    }
    let none = Spec { components: 0, ..spec };
    assert_eq!(none.build(), Err(WriteError::Refused(LoadError::Head(Fault::Size))));
}

fn pairs<'a>(description: &'a mut Description) -> &'a mut AutoencodersRecord {
    let HeadRecord::Autoencoders(pairs) = &mut description.head else { panic!("no autoencoders") };
    pairs
}

fn rows(layer: &mut LayerRecord) -> &mut DenseRecord {
    let LayerRecord::Dense(dense) = layer else { panic!("not dense") };
    dense
}

#[test]
fn autoencoders() {
    let head = HeadSpec::Autoencoders { latent: 3, is_variational: true };
    let spec = Spec { head, layers: vec![], components: 4, ..Spec::default() };
    let fault = |fault| LoadError::Head(fault);
    let altered = |alter: fn(&mut AutoencodersRecord)| described(&spec, |d| alter(pairs(d)));
    assert!(spec.build().is_ok());
    for latent in [0, 1025] {
        assert_eq!(described(&spec, |d| pairs(d).latent = latent), fault(Fault::Size));
    }
    for latent in [2, 4] {
        assert_eq!(described(&spec, |d| pairs(d).latent = latent), fault(Fault::Inputs));
    }
    assert_eq!(altered(|p| p.n_members = 0), fault(Fault::Size));
    assert_eq!(altered(|p| p.n_members = 5), fault(Fault::TensorLength));
    assert_eq!(altered(|p| p.stride += 8), fault(Fault::TensorAlignment));
    // Pairs that overlap: a pair's tensors have more bytes.
    for stride in [0, 16, 256] {
        assert_eq!(described(&spec, |d| pairs(d).stride = stride), fault(Fault::Stride));
    }
    // Pairs beyond the blob.
    assert_eq!(altered(|p| p.stride = 1 << 20), fault(Fault::TensorOutside));
    assert_eq!(altered(|p| p.stride = u32::MAX - 15), fault(Fault::TensorOutside));
    assert_eq!(altered(|p| p.encoder.clear()), fault(Fault::LayerCount));
    assert_eq!(altered(|p| p.decoder.clear()), fault(Fault::LayerCount));
    assert_eq!(altered(|p| rows(&mut p.encoder[0]).inputs += 1), fault(Fault::TensorLength));
    assert_eq!(altered(|p| p.decoder.truncate(1)), fault(Fault::Outputs));
    assert_eq!(altered(|p| p.constants.len = 3), fault(Fault::TensorLength));
    assert_eq!(altered(|p| p.error.multiplier.len = 3), fault(Fault::TensorLength));
    assert_eq!(altered(|p| p.mean_penalty.len = 255), fault(Fault::TensorLength));
    // Without its table, an encoder gives no log variances.
    assert_eq!(altered(|p| p.variance_penalty.len = 0), fault(Fault::Outputs));
    let curve = |d: &mut Description| {
        rows(&mut pairs(d).encoder[0]).activation = ActivationRecord::Interpolated(Tensor::new(0, 257));
    };
    assert_eq!(described(&spec, curve), fault(Fault::CurveBeforeLastLayer));
    assert_eq!(described(&spec, |d| d.latent.len = 3), LoadError::Latent(Fault::Inputs));
    // A layer of a model of its own, that takes and gives six elements.
    let before = |d: &mut Description| {
        let identity = Spec { layers: vec![(6, Follow::Identity)], ..Spec::default() };
        d.encoder.push(LayerRecord::Dense(dense_of(&identity.parts().0, 0))).unwrap();
    };
    let error = described(&spec, before);
    let is_refused = matches!(error, LoadError::Encoder(Fault::LayerCount) | LoadError::Layer { .. });
    assert!(is_refused, "{error:?}");

    let of = |d: &Description| pairs(&mut d.clone()).clone();
    for shift in [0u8, 57] {
        assert_eq!(element(&spec, |d| of(d).error.shift, 3, shift), fault(Fault::Shift));
    }
    assert_eq!(element(&spec, |d| of(d).error.multiplier, 0, -1), fault(Fault::Multiplier));
    // A bias of each pair, the last one too.
    for pair in 0..4 {
        let bias = |d: &Description| {
            let of = of(d);
            let mut bias = rows(&mut of.decoder.clone()[1]).bias;
            bias.offset += pair * of.stride;
            bias
        };
        assert_eq!(element(&spec, bias, 2, i32::MIN), fault(Fault::Bias), "pair {pair}");
    }
}

#[test]
fn one_novelty_table() {
    let spec = spec();
    let fault = |fault| LoadError::Calibration(fault);
    assert_eq!(described(&spec, |d| table(d).len = 0), fault(Fault::TensorLength));
    let empty = |d: &mut Description| {
        let table = table(d);
        (table.len, table.levels.len, table.log_densities.len) = (0, 0, 0);
    };
    assert_eq!(described(&spec, empty), fault(Fault::TableEnd));
    assert_eq!(described(&spec, |d| table(d).levels.len = 7), fault(Fault::TensorLength));
    assert_eq!(described(&spec, |d| table(d).levels.offset = 1 << 30), fault(Fault::TensorOutside));
    let thresholds = |d: &Description| table(&mut d.clone()).log_densities;
    assert_eq!(element(&spec, thresholds, 0, i32::MAX), fault(Fault::NotAscending));
    let levels = |d: &Description| table(&mut d.clone()).levels;
    assert_eq!(element(&spec, levels, 0, u16::MAX), fault(Fault::NotAscending));
}

fn held_out<'a>(description: &'a mut Description) -> &'a mut HeldOutRecord {
    let CalibrationRecord::HeldOut(tables) = &mut description.calibration else { panic!("no tables") };
    tables
}

#[test]
fn tables_of_held_out_samples() {
    let spec = Spec { held_out: 2, calibration: 3, ..spec() };
    let fault = |fault| LoadError::Calibration(fault);
    let altered = |alter: fn(&mut HeldOutRecord)| described(&spec, |d| alter(held_out(d)));
    assert!(spec.build().is_ok());
    assert_eq!(altered(|t| t.n_tables = 0), fault(Fault::TensorLength));
    assert_eq!(altered(|t| t.n_tables = 3), fault(Fault::TensorLength));
    assert_eq!(altered(|t| (t.n_tables, t.ends.len, t.samples.len) = (0, 0, 0)), fault(Fault::TableEnd));
    assert_eq!(altered(|t| t.len = 5), fault(Fault::TensorLength));
    assert_eq!(altered(|t| t.tables.len = 2), fault(Fault::TensorLength));
    assert_eq!(altered(|t| t.samples.len = 1), fault(Fault::TensorLength));
    assert_eq!(altered(|t| t.levels.offset = 1 << 30), fault(Fault::TensorOutside));
    for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert_eq!(described(&spec, |d| held_out(d).inverse_temperature = scale), fault(Fault::Scale));
    }
    let of = |d: &Description| *held_out(&mut d.clone());
    assert_eq!(element(&spec, |d| of(d).tables, 2, 2u16), fault(Fault::UnknownTable));
    // A table that is empty, one that ends before it begins, entries after the last table.
    for (table, end) in [(0, 0u16), (1, 3), (1, 2), (1, 5), (1, 7), (1, u16::MAX)] {
        assert_eq!(element(&spec, |d| of(d).ends, table, end), fault(Fault::TableEnd), "{table} ends at {end}");
    }
    for first in [0, 3] {
        assert_eq!(element(&spec, |d| of(d).thresholds, first, i32::MAX), fault(Fault::NotAscending));
        assert_eq!(element(&spec, |d| of(d).levels, first, u16::MAX), fault(Fault::NotAscending));
    }
    // Values need not ascend from one table to the next.
    assert!(File::from_bytes(&edited(&spec, |d| of(d).thresholds, 2, i32::MAX)).is_ok());
}
