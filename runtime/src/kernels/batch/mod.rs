//! Dense layers over many samples at once, for x86-64 hosts. Weights are packed once, in the order in which they are multiplied, so
//! that each is loaded once for several samples and no sum has to be added up across a register.
//!
//! Feature `batch`. A row of inputs is bytes: of each element one byte, the value plus 128, for AVX-512 VNNI, and two bytes
//! for AVX2. One instruction multiplies four bytes of a row, a word, by the weights of several outputs.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod head;
mod input;
mod instructions;
mod lanes;
mod packed_dense;
mod summary;
#[cfg(target_arch = "x86_64")]
mod vnni;

pub(crate) use head::scores_of_sixteen;
pub(crate) use input::BatchInput;
pub use instructions::Instructions;
#[cfg(target_arch = "x86_64")]
use instructions::Set;
pub use packed_dense::PackedDense;
pub(crate) use summary::{Summary, summary_of_sixteen};

impl PackedDense<'_> {
    /// Computes the outputs of each row of inputs. Both are given with the bytes from a row to the next: at least
    /// [`row`](Self::row) and as many as there are outputs. Wide outputs are int16 in the order of the machine's bytes. `None`, and
    /// nothing written, if a row is shorter or the two don't have the same number of rows.
    pub fn run(&self, inputs: (&[u8], usize), outputs: (&mut [u8], usize)) -> Option<()> {
        let n_rows = inputs.0.len().checked_div(inputs.1)?;
        let is_whole = inputs.1 >= self.row()
            && outputs.1 >= self.outputs() * self.output_element()
            && n_rows * inputs.1 == inputs.0.len()
            && n_rows * outputs.1 == outputs.0.len();
        if !is_whole {
            return None;
        }
        match self.instructions.0 {
            #[cfg(target_arch = "x86_64")]
            Set::Vnni => vnni::run(self, n_rows, inputs, outputs),
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => avx2::run(self, n_rows, inputs, outputs),
        }
    }
}
