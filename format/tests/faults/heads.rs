//! Faults of heads and of their calibration.

use super::*;

#[test]
fn heads() {
    let spec = spec();
    assert_eq!(described(&spec, |d| mixture(d).n_components = 0), LoadError::Head(Fault::Shape));
    assert_eq!(described(&spec, |d| mixture(d).n_components = 6), LoadError::Head(Fault::Shape));
    assert_eq!(described(&spec, |d| mixture(d).constants.offset |= 1), LoadError::Head(Fault::Tensor));
    assert_eq!(described(&spec, |d| mixture(d).n_clusters = 0), LoadError::Head(Fault::Cluster));
    assert_eq!(
        described(&spec, |d| mixture(d).n_clusters = 4),
        LoadError::Head(Fault::Cluster),
        "one without component"
    );
    assert_eq!(element(&spec, |d| mixture_of(d).clusters, 4, 3u16), LoadError::Head(Fault::Cluster));
    for shift in [4u8, 41] {
        let error = element(&spec, |d| mixture_of(d).shifts, 14, shift);
        assert_eq!(error, LoadError::Head(Fault::Requantisation));
    }
    for covariance in [Covariance::Spherical, Covariance::Diagonal] {
        let spec = with_head(Kind::Mixture(covariance));
        let error = element(&spec, |d| mixture_of(d).offsets, 14, 1 << 30);
        assert_eq!(error, LoadError::Head(Fault::Bias));
        for shift in [4u8, 32] {
            let error = element(&spec, |d| mixture_of(d).shifts, 4, shift);
            assert_eq!(error, LoadError::Head(Fault::Requantisation));
        }
    }

    let spec = with_head(Kind::Softmax);
    let softmax = |d: &Description| match &d.head {
        Head::Softmax(softmax) => *softmax,
        other => panic!("{other:?}"),
    };
    for shift in [0u8, 41] {
        assert_eq!(element(&spec, |d| softmax(d).shifts, 0, shift), LoadError::Head(Fault::Requantisation));
    }
    let none = Spec { components: 0, ..spec };
    assert_eq!(none.build(), Err(WriteError::Refused(LoadError::Head(Fault::Shape))));
}

fn pairs<'a>(description: &'a mut Description) -> &'a mut Autoencoders {
    let Head::Autoencoders(pairs) = &mut description.head else { panic!("no autoencoders") };
    pairs
}

fn rows(layer: &mut Layer) -> &mut Dense {
    let Layer::Dense(dense) = layer else { panic!("not dense") };
    dense
}

#[test]
fn autoencoders() {
    let head = Kind::Autoencoders { latent: 3, is_variational: true };
    let spec = Spec { head, layers: vec![], components: 4, ..Spec::default() };
    let fault = |fault| LoadError::Head(fault);
    let altered = |alter: fn(&mut Autoencoders)| described(&spec, |d| alter(pairs(d)));
    assert!(spec.build().is_ok());
    for latent in [0, 2, 4, 1025] {
        assert_eq!(described(&spec, |d| pairs(d).latent = latent), fault(Fault::Shape));
    }
    assert_eq!(altered(|p| p.n_members = 0), fault(Fault::Shape));
    assert_eq!(altered(|p| p.n_members = 5), fault(Fault::Shape));
    assert_eq!(altered(|p| p.stride += 8), fault(Fault::Shape));
    // Pairs beyond the blob.
    assert_eq!(altered(|p| p.stride = 1 << 20), fault(Fault::Tensor));
    assert_eq!(altered(|p| p.stride = u32::MAX - 15), fault(Fault::Tensor));
    assert_eq!(altered(|p| p.encoder.clear()), fault(Fault::Shape));
    assert_eq!(altered(|p| p.decoder.clear()), fault(Fault::Shape));
    assert_eq!(altered(|p| rows(&mut p.encoder[0]).inputs += 1), fault(Fault::Shape));
    assert_eq!(altered(|p| rows(&mut p.decoder[1]).outputs -= 1), fault(Fault::Shape));
    assert_eq!(altered(|p| p.constants.len = 3), fault(Fault::Shape));
    assert_eq!(altered(|p| p.error.multiplier.len = 3), fault(Fault::Shape));
    assert_eq!(altered(|p| p.mean_penalty.len = 255), fault(Fault::Shape));
    // Without its table, an encoder gives no log variances.
    assert_eq!(altered(|p| p.variance_penalty.len = 0), fault(Fault::Shape));
    let curve =
        |d: &mut Description| rows(&mut pairs(d).encoder[0]).activation = Activation::Interpolated(Tensor::new(0, 257));
    assert_eq!(described(&spec, curve), fault(Fault::Activation));
    assert_eq!(described(&spec, |d| d.latent.len = 3), LoadError::Latent(Fault::Shape));
    let layer =
        || Layer::Dense(dense_of(&Spec { layers: vec![(6, Follow::Identity)], ..Spec::default() }.parts().0, 0));
    assert!(matches!(
        described(&spec, |d| d.encoder.push(layer()).unwrap()),
        LoadError::Head(_) | LoadError::Layer { .. }
    ));

    let of = |d: &Description| pairs(&mut d.clone()).clone();
    for shift in [0u8, 57] {
        assert_eq!(element(&spec, |d| of(d).error.shift, 3, shift), fault(Fault::Requantisation));
    }
    assert_eq!(element(&spec, |d| of(d).error.multiplier, 0, -1), fault(Fault::Requantisation));
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
    // A reader of the first minor version's files knows no such head.
    let mut bytes = spec.build().unwrap();
    bytes.as_mut()[6] = 0;
    mend(bytes.as_mut());
    assert_eq!(load(&bytes), LoadError::Description { minor: 0 });
}

#[test]
fn calibration() {
    let spec = spec();
    assert_eq!(described(&spec, |d| table(d).len = 0), LoadError::Calibration(Fault::Shape));
    assert_eq!(described(&spec, |d| table(d).levels.len = 7), LoadError::Calibration(Fault::Shape));
    assert_eq!(described(&spec, |d| table(d).levels.offset = 1 << 30), LoadError::Calibration(Fault::Tensor));
    let thresholds = |d: &Description| table(&mut d.clone()).log_densities;
    assert_eq!(element(&spec, thresholds, 0, i32::MAX), LoadError::Calibration(Fault::Order));
    let levels = |d: &Description| table(&mut d.clone()).levels;
    assert_eq!(element(&spec, levels, 0, u16::MAX), LoadError::Calibration(Fault::Order));
}

fn held_out<'a>(description: &'a mut Description) -> &'a mut description::HeldOut {
    let Calibration::HeldOut(tables) = &mut description.calibration else { panic!("no tables") };
    tables
}

#[test]
fn tables_of_held_out_samples() {
    let spec = Spec { held_out: 2, calibration: 3, ..spec() };
    let fault = |fault| LoadError::Calibration(fault);
    let altered = |alter: fn(&mut description::HeldOut)| described(&spec, |d| alter(held_out(d)));
    assert!(spec.build().is_ok());
    assert_eq!(altered(|t| t.n_tables = 0), fault(Fault::Shape));
    assert_eq!(altered(|t| t.n_tables = 3), fault(Fault::Shape));
    assert_eq!(altered(|t| t.len = 5), fault(Fault::Shape));
    assert_eq!(altered(|t| t.tables.len = 2), fault(Fault::Shape));
    assert_eq!(altered(|t| t.samples.len = 1), fault(Fault::Shape));
    assert_eq!(altered(|t| t.levels.offset = 1 << 30), fault(Fault::Tensor));
    for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert_eq!(described(&spec, |d| held_out(d).inverse_temperature = scale), fault(Fault::Scale));
    }
    let of = |d: &Description| *held_out(&mut d.clone());
    assert_eq!(element(&spec, |d| of(d).tables, 2, 2u16), fault(Fault::Cluster), "no such table");
    // A table that is empty, one that ends before it begins, entries behind the last table.
    for (table, end) in [(0, 0u16), (1, 3), (1, 2), (1, 5), (1, 7), (1, u16::MAX)] {
        assert_eq!(element(&spec, |d| of(d).ends, table, end), fault(Fault::Shape), "{table} ends at {end}");
    }
    for first in [0, 3] {
        assert_eq!(element(&spec, |d| of(d).thresholds, first, i32::MAX), fault(Fault::Order));
        assert_eq!(element(&spec, |d| of(d).levels, first, u16::MAX), fault(Fault::Order));
    }
    // Between two tables nothing need ascend.
    assert!(File::from_bytes(&edited(&spec, |d| of(d).thresholds, 2, i32::MAX)).is_ok());
}
