//! Points in a plane that have the neighbours of latents: t-SNE (van der Maaten and Hinton, "Visualizing Data using t-SNE",
//! 2008), which starts from the principal axes, as Kobak and Berens recommend ("The art of using t-SNE for single-cell
//! transcriptomics", 2019), so that its picture of the whole is not random.

use bhtsne::tSNE;

/// How many samples are embedded at most.
pub(super) const MOST: usize = 1000;
const PERPLEXITY: f32 = 30.0;
const STEPS: usize = 500;
/// The trade-off of the tree between accuracy and speed.
const THETA: f32 = 0.5;
/// The deviation of the first axis at the start.
const START: f64 = 1e-4;

/// A place for each of `N x D` latents, given their places along two principal axes; `None` for so few that they have no
/// neighbourhoods. The same latents have the same places.
pub(super) fn embed(latents: &[f32], dims: usize, principal: &[[f64; 2]]) -> Option<Vec<[f64; 2]>> {
    let rows: Vec<&[f32]> = latents.chunks_exact(dims.max(1)).collect();
    let perplexity = PERPLEXITY.min((rows.len().saturating_sub(1) / 3) as f32);
    if perplexity < 2.0 {
        return None;
    }
    let deviation = (principal.iter().map(|[x, _]| x * x).sum::<f64>() / rows.len() as f64).sqrt();
    let start = principal.iter().flatten().map(|x| (x / deviation.max(f64::MIN_POSITIVE) * START) as f32);
    let start: Vec<f32> = start.collect();
    let distance = |a: &&[f32], b: &&[f32]| a.iter().zip(*b).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
    // On several threads, sums would be rounded differently each time.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().ok()?;
    let places = pool.install(|| {
        let mut tsne = tSNE::<f32, &[f32]>::new(&rows);
        tsne.perplexity(perplexity).epochs(STEPS).initial_embedding(start).barnes_hut(THETA, distance);
        tsne.embedding()
    });
    let places: Vec<[f64; 2]> = places.as_chunks::<2>().0.iter().map(|place| place.map(f64::from)).collect();
    places.iter().flatten().all(|x| x.is_finite()).then_some(places)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{normal, stream};
    use crate::report::geometry;

    const DIMS: usize = 6;

    /// Sixty latents about each of five corners.
    fn latents() -> Vec<f32> {
        let noise = normal(300 * DIMS, &mut stream(0, "neighbours", 0));
        let each = noise.iter().enumerate();
        each.map(|(at, x)| 0.3 * x + if at % DIMS == at / DIMS / 60 { 6.0 } else { 0.0 }).collect()
    }

    #[test]
    fn neighbours_in_the_latent_space_are_neighbours_in_the_plane() {
        let z = latents();
        let principal = geometry::principal(&z, DIMS).0;
        let places = embed(&z, DIMS, &principal).unwrap();
        assert_eq!(places.len(), 300);
        assert_eq!(places, embed(&z, DIMS, &principal).unwrap());
        let square = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2);
        let is_own = |i: usize| {
            let others = (0..300).filter(|&j| j != i);
            others.min_by(|&a, &b| square(places[i], places[a]).total_cmp(&square(places[i], places[b]))).unwrap() / 60
                == i / 60
        };
        assert!((0..300).all(is_own));
    }

    #[test]
    fn few_latents_and_equal_ones_are_no_failure() {
        assert!(embed(&latents()[..6 * DIMS], DIMS, &[[0.0; 2]; 6]).is_none());
        let same = vec![1.0; 100 * DIMS];
        let places = embed(&same, DIMS, &geometry::principal(&same, DIMS).0);
        assert!(places.is_none_or(|places| places.len() == 100));
    }
}
