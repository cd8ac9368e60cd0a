//! Encoders with poolings, from training to the integers.

use edgemix::assessment::inference;
use edgemix::data;
use edgemix::device::Device;
use edgemix::methods::{FitConfig, MethodConfig};
use edgemix::metrics::agreement;
use edgemix::quantize::{Provenance, quantize};
use edgemix::trained::Layer;
use edgemix::training::PhaseSettings;
use edgemix_runtime::Model;

#[test]
fn integers_assign_as_the_trained_model_does() {
    let digits = data::digits();
    for (encoder, kinds) in [
        ("conv:5k3s1p1,max2,7k3s1p1,max2,8", ["convolution", "max pooling", "convolution", "max pooling", "dense"]),
        (
            "conv:5k3s1p1,avg3s2,max2s1,7k2s1,8",
            ["convolution", "average pooling", "max pooling", "convolution", "dense"],
        ),
    ] {
        let encoder = encoder.parse().unwrap();
        let method = MethodConfig::named("ae-kmeans").unwrap();
        let reconstruction = PhaseSettings::with_epochs(20);
        let config = FitConfig { encoder, method, reconstruction, ..FitConfig::default() };
        let trained = Device::Cpu.fit(&digits.samples, &config, &mut (), &mut ()).unwrap().trained;
        assert_eq!(trained.encoder.iter().filter(|layer| matches!(layer, Layer::Pooling(_))).count(), 2);

        let provenance = Provenance { name: "digits".into(), config: [0; 32], seed: 0 };
        let file = quantize(&trained, &digits.samples, None, &provenance).unwrap();
        let model = Model::from_bytes(&file).unwrap();
        let layers = &model.file().encoder;
        assert_eq!(layers.iter().map(|layer| layer.kind()).collect::<Vec<_>>(), kinds);
        // A pooling keeps the scheme of its input.
        for pair in layers.windows(2).filter(|pair| pair[1].kind().ends_with("pooling")) {
            assert_eq!(pair[0].output(), pair[1].output());
        }

        let exact = trained.encode(&digits.samples).unwrap();
        let integers = inference::map_chunks(&digits.samples, |values| inference::encode(&model, values)).unwrap();
        let power = |values: &mut dyn Iterator<Item = f32>| values.map(|z| z * z).sum::<f32>();
        let error = power(&mut exact.iter().zip(&integers).map(|(exact, integer)| exact - integer));
        let lost = (error / power(&mut exact.iter().copied())).sqrt();
        assert!(lost < 0.08, "{kinds:?}: the integers lose {lost} of the latent");

        let found = inference::assign_samples(&model, &digits.samples).unwrap();
        let clusters: Vec<u16> = found.iter().map(|found| found.cluster).collect();
        let share = agreement(&clusters, &trained.assign(&digits.samples).unwrap());
        assert!(share >= 0.95, "{kinds:?}: {share}");
    }
}
