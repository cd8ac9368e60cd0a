//! Logits in integers. Their softmax is the posterior; the greatest logit takes the place of the log-density.

use edgemix_format::view::Softmax;

pub(super) fn run(softmax: &Softmax, latent: &[i16], scores: &mut [i32]) {
    let rows = softmax.coefficients.chunks_exact(latent.len().max(1));
    let classes = rows.zip(softmax.offsets).zip(softmax.shifts);
    for (score, ((row, &offset), &shift)) in scores.iter_mut().zip(classes) {
        let products = row.iter().zip(latent).map(|(&w, &z)| i64::from(i32::from(w) * i32::from(z)));
        let logit = (products.sum::<i64>() + i64::from(offset)) >> shift;
        *score = logit.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32;
    }
}
