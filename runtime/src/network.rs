//! Layers that run one after another and write to alternating ends of an arena.

use edgemix_format::view::Layer;

use crate::kernels;
use crate::kernels::Width;

/// An arena of even length that begins at a multiple of 4 bytes, and the position of the last output in it.
pub(crate) struct Network<'w> {
    arena: &'w mut [i16],
    length: usize,
    at_start: bool,
}

impl<'w> Network<'w> {
    /// A network whose input is the first `length` elements of the arena.
    pub(crate) fn new(arena: &'w mut [i16], length: usize) -> Self {
        Self { arena, length, at_start: true }
    }

    /// Runs a layer. Returns `None` if the arena is shorter than planned, which can't happen with a checked file.
    #[inline(never)]
    pub(crate) fn run(&mut self, layer: &Layer, width: Width) -> Option<()> {
        let (outputs, n_scratch) = (layer.outputs(), layer.scratch());
        let (input, free) = ends(self.arena, self.length, self.at_start)?;
        let at = if self.at_start { free.len().checked_sub(outputs)? } else { outputs };
        let (first, second) = free.split_at_mut_checked(at)?;
        // The part between input and output begins at an even element.
        let (output, between, skipped) =
            if self.at_start { (second, first, self.length % 2) } else { (first, second, outputs % 2) };
        let scratch = if n_scratch > 0 { between.get_mut(skipped..)?.get_mut(..n_scratch)? } else { &mut [] };
        kernels::run(layer, width, input, output, scratch);
        (self.length, self.at_start) = (outputs, !self.at_start);
        Some(())
    }

    /// The last output.
    pub(crate) fn last(&mut self) -> Option<&[i16]> {
        ends(self.arena, self.length, self.at_start).map(|(last, _)| &*last)
    }

    /// Moves the first `length` elements of the last output to the start of the arena, as the input of another network.
    pub(crate) fn keep(self, length: usize) -> Option<()> {
        if !self.at_start {
            let start = self.arena.len().checked_sub(self.length)?;
            // Source and destination may overlap, but the source never begins first, so copying forwards is correct.
            for i in 0..length {
                *self.arena.get_mut(i)? = *self.arena.get(start.checked_add(i)?)?;
            }
        }
        Some(())
    }

    /// The last output and the free part, which starts and ends at multiples of 4 bytes.
    pub(crate) fn finish(self) -> Option<(&'w [i16], &'w mut [i16])> {
        let (last, free) = ends(self.arena, self.length, self.at_start)?;
        let pad = self.length % 2;
        let even = free.len().saturating_sub(pad);
        let free = if self.at_start { free.get_mut(pad..) } else { free.get_mut(..even) };
        Some((last, free?))
    }
}

/// The first or last `length` elements, and the rest.
fn ends(arena: &mut [i16], length: usize, at_start: bool) -> Option<(&mut [i16], &mut [i16])> {
    if at_start {
        arena.split_at_mut_checked(length)
    } else {
        let (free, used) = arena.split_at_mut_checked(arena.len().checked_sub(length)?)?;
        Some((used, free))
    }
}
